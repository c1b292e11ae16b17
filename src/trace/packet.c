/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/packet.h"
#include "util/crc32c.h"

int e4d_packet_open(struct e4d_packet_buf *b)
{
	memset(b, 0, sizeof(*b));
	b->data = aligned_alloc(E4D_PACKET_ALIGN, E4D_PACKET_BYTES);
	if (!b->data)
		return -ENOMEM;
	e4d_packet_reset(b);
	return 0;
}

void e4d_packet_free(struct e4d_packet_buf *b)
{
	free(b->data);
	b->data = NULL;
}

void e4d_packet_reset(struct e4d_packet_buf *b)
{
	b->len = sizeof(struct e4d_packet);
	b->events = 0;
	b->unsorted = false;
}

struct place {
	uint64_t timestamp;
	size_t at;
};

static int by_time(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->timestamp != y->timestamp)
		return x->timestamp < y->timestamp ? -1 : 1;
	return x->at < y->at ? -1 : 1; /* as they came */
}

static int sort(struct e4d_packet_buf *b)
{
	struct place *places = malloc(b->events * sizeof(*places));
	unsigned char *copy = malloc(b->len), *to = b->data + sizeof(struct e4d_packet);
	size_t at = sizeof(struct e4d_packet);
	int err = places && copy ? 0 : -ENOMEM;

	if (!err) {
		memcpy(copy, b->data, b->len);
		for (uint32_t i = 0; i < b->events; i++) {
			const struct e4d_event *e = (const void *)(copy + at);

			places[i] = (struct place){e->timestamp, at};
			at += e->size;
		}
		qsort(places, b->events, sizeof(*places), by_time);
		for (uint32_t i = 0; i < b->events; i++) {
			const struct e4d_event *e = (const void *)(copy + places[i].at);

			memcpy(to, e, e->size);
			to += e->size;
		}
	}
	free(copy);
	free(places);
	return err;
}

size_t e4d_packet_seal(struct e4d_packet_buf *b, struct e4d_packet *head)
{
	struct e4d_packet_end end = {
		.magic = E4D_PACKET_END_MAGIC,
		.major = E4D_TRACE_MAJOR,
		.minor = E4D_TRACE_MINOR,
		.events = b->events,
	};
	size_t size = (b->len + sizeof(end) + E4D_PACKET_ALIGN - 1) & ~(E4D_PACKET_ALIGN - 1ul);

	if (b->unsorted && sort(b))
		return 0;
	b->unsorted = false;
	head->magic = E4D_PACKET_MAGIC;
	head->stream_id = 0;
	head->timestamp_begin = b->first;
	head->timestamp_end = b->last;
	head->content_size = b->len * 8;
	head->packet_size = size * 8;
	memcpy(b->data, head, sizeof(*head));
	memset(b->data + b->len, 0, size - b->len);
	memcpy(b->data + size - sizeof(end), &end, sizeof(end));
	end.crc = e4d_crc32c(0, b->data, size - sizeof(end.crc));
	memcpy(b->data + size - sizeof(end), &end, sizeof(end));
	return size;
}
