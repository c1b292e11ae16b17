/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Pages of the ring (flight.h), from wherever they come: the living ring, a memory
 * image. Nothing in them is trusted. Needs no libbpf.
 */
#ifndef E4D_FLIGHT_PAGE_H
#define E4D_FLIGHT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flight.h"

struct e4d_flight_info {
	uint8_t uuid[16]; /* of the session */
	uint32_t stream;  /* the row, or E4D_STREAM_SETTLED */
	uint64_t number;  /* of the page in its row, from 0: packet_seq_num */
	bool final;       /* it changed no more; else events may have been under way */
	uint32_t rows, pages;
};

/* Is it such a page (uuid: NULL, or that of the session that is looked for)? 0 or -EINVAL. */
int e4d_flight_page_info(const struct e4d_flight_page *p, const uint8_t *uuid,
                         struct e4d_flight_info *out);

/* The whole event at that slot of page `number`, or NULL. Read before what it holds. */
static inline const struct e4d_event *e4d_flight_event(const struct e4d_flight_page *p,
                                                       uint64_t number, uint32_t slot)
{
	const struct e4d_event *e = (const struct e4d_event *)p->slot[slot];
	uint64_t word = __atomic_load_n((const uint64_t *)&e->id, __ATOMIC_ACQUIRE);

	if (word >> 32 != e4d_flight_mark(number, slot))
		return NULL;
	if ((uint32_t)word == (E4D_EV_INSIDE | E4D_FLIGHT_SLOT << 16))
		return e;
	if ((uint32_t)word == (E4D_EV_WRITE | 2 * E4D_FLIGHT_SLOT << 16) &&
	    slot + 2 <= E4D_FLIGHT_SLOTS)
		return e;
	return NULL;
}

/*
 * Calls fn for each whole event, in the order of the slots, which is nearly that of their
 * times. e->reserved holds the mark. 0 or fn's value.
 */
int e4d_flight_page_scan(const struct e4d_flight_page *p,
                         int (*fn)(void *ctx, const struct e4d_event *e), void *ctx);

/* A copy of a page in use: what was not whole when it was looked at has no mark. -EAGAIN: taken
 * anew meanwhile. */
int e4d_flight_page_copy(const struct e4d_flight_page *from, struct e4d_flight_page *to);

/* The record of an event, INSIDE or WRITE; reserved does not matter. */
void e4d_flight_record(const struct e4d_event *e, struct e4d_record *rec);

#endif
