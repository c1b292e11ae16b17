/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdbool.h>
#include <string.h>

#include "trace/verify.h"
#include "util/crc32c.h"

/* What an event has at least, and where its text begins (0: none). */
static const struct shape {
	uint16_t size, text;
} shapes[E4D_EV_COUNT] = {
	[E4D_EV_PAD] = {sizeof(struct e4d_event), 0},
	[E4D_EV_WRITE] = {sizeof(struct e4d_ev_write), 0},
	[E4D_EV_INSIDE] = {sizeof(struct e4d_ev_inside), 0},
	[E4D_EV_FILE] = {sizeof(struct e4d_ev_file), offsetof(struct e4d_ev_file, path)},
	[E4D_EV_LOSS] = {sizeof(struct e4d_ev_loss), offsetof(struct e4d_ev_loss, name)},
	[E4D_EV_COUNTERS] = {sizeof(struct e4d_ev_counters), 0},
	[E4D_EV_MARK] = {sizeof(struct e4d_ev_mark), offsetof(struct e4d_ev_mark, text)},
	[E4D_EV_SESSION] = {sizeof(struct e4d_ev_session), 0},
	[E4D_EV_END] = {sizeof(struct e4d_event), 0},
};

static bool header_good(const struct e4d_packet *p)
{
	uint64_t size = p->packet_size, content = p->content_size;

	return p->magic == E4D_PACKET_MAGIC && !p->stream_id && size &&
	       size <= 8 * E4D_PACKET_MAX && !(size % (8 * E4D_PACKET_ALIGN)) && !(content % 64) &&
	       content >= 8 * sizeof(struct e4d_packet) &&
	       content <= size - 8 * sizeof(struct e4d_packet_end) &&
	       p->stream_instance_id <= E4D_STREAM_SESSION &&
	       p->timestamp_begin <= p->timestamp_end;
}

#define ENDS(field) memchr(field, 0, sizeof(field))

static bool strings_end(const struct e4d_event *e)
{
	const struct e4d_ev_session *s = (const void *)e;
	unsigned int text = shapes[e->id].text;

	if (text)
		return e->size > text && memchr((const char *)e + text, 0, e->size - text);
	return e->id != E4D_EV_SESSION ||
	       (ENDS(s->host) && ENDS(s->kernel) && ENDS(s->program) && ENDS(s->options));
}

static bool events_good(const struct e4d_packet *p, const struct e4d_packet_end *end)
{
	const char *at = (const char *)(p + 1), *stop = (const char *)p + p->content_size / 8;
	uint64_t last = p->timestamp_begin;
	uint32_t n = 0;

	for (; at < stop; n++) {
		const struct e4d_event *e = (const void *)at;
		size_t left = (size_t)(stop - at);

		if (left < sizeof(*e) || e->size < sizeof(*e) || e->size % 8 || e->size > left)
			return false;
		at += e->size;
		if (e->id == E4D_EV_PAD)
			continue;
		if (e->timestamp < last)
			return false;
		last = e->timestamp;
		if (e->id < E4D_EV_COUNT && (e->size < shapes[e->id].size || !strings_end(e)))
			return false;
	}
	return last <= p->timestamp_end && n == end->events;
}

enum e4d_packet_state e4d_packet_check(const void *buf, size_t n, size_t *bytes)
{
	const struct e4d_packet *p = buf;
	const struct e4d_packet_end *end;

	*bytes = 0;
	if (n < sizeof(*p) || !header_good(p))
		return E4D_PACKET_NONE;
	*bytes = e4d_packet_bytes(p);
	if (n < *bytes)
		return E4D_PACKET_SHORT;
	end = e4d_packet_end_of(p);
	if (end->magic != E4D_PACKET_END_MAGIC)
		return E4D_PACKET_TORN;
	if (e4d_crc32c(0, buf, *bytes - sizeof(end->crc)) != end->crc)
		return E4D_PACKET_CRC;
	if (end->major > E4D_TRACE_MAJOR)
		return E4D_PACKET_NEWER;
	return end->major == E4D_TRACE_MAJOR && events_good(p, end) ? E4D_PACKET_WHOLE
	                                                            : E4D_PACKET_EVENTS;
}
