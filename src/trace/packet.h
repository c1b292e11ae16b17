/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Builds one packet in memory: events in any order go in, a sorted and sealed packet comes out. */
#ifndef E4D_TRACE_PACKET_H
#define E4D_TRACE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "trace.h"

/* A packet with its padding: what is written at a time under load. */
#define E4D_PACKET_BYTES (64u << 10)

struct e4d_packet_buf {
	unsigned char *data; /* E4D_PACKET_BYTES, aligned; owned. NULL: not opened */
	size_t len;          /* bytes used, the packet's header included */
	uint32_t events;
	bool unsorted;
	uint64_t first, last; /* timestamps, of the earliest and of the latest event */
};

/* Allocates. 0 or -ENOMEM. */
int e4d_packet_open(struct e4d_packet_buf *b);
void e4d_packet_free(struct e4d_packet_buf *b);

/* Bytes of events that still fit. */
static inline size_t e4d_packet_left(const struct e4d_packet_buf *b)
{
	return E4D_PACKET_BYTES - sizeof(struct e4d_packet_end) - b->len;
}

/* Where an event of size bytes (a multiple of 8) may be put; NULL: it does not fit. */
static inline void *e4d_packet_room(struct e4d_packet_buf *b, size_t size)
{
	return size <= e4d_packet_left(b) ? b->data + b->len : NULL;
}

/* The event put there counts from now on; its head is filled in. */
static inline void e4d_packet_add(struct e4d_packet_buf *b, const struct e4d_event *e)
{
	if (!b->events) {
		b->first = b->last = e->timestamp;
	} else if (e->timestamp < b->last) {
		b->unsorted = true;
		if (e->timestamp < b->first)
			b->first = e->timestamp;
	} else {
		b->last = e->timestamp;
	}
	b->len += e->size;
	b->events++;
}

/*
 * Sorts the events, fills in what head leaves open (times and sizes; the rest is the
 * caller's), pads, and adds the CRC. Returns the packet's bytes, at b->data; 0 when
 * memory is out. e4d_packet_reset() before the next event.
 */
size_t e4d_packet_seal(struct e4d_packet_buf *b, struct e4d_packet *head);
void e4d_packet_reset(struct e4d_packet_buf *b);

#endif
