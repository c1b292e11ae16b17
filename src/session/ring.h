/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The user side of the ring of events (flight.h): reads in place what the programs
 * have written, and gives pages back; or, where the oldest is overwritten, follows.
 */
#ifndef E4D_RING_H
#define E4D_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared.h"

struct e4d_ring {
	struct e4d_flight_page *pages; /* mapped */
	size_t len;
	struct e4d_shared *shared; /* the session's */
	uint32_t rows, row_pages;
	bool overwrite;
	uint8_t uuid[16];
	struct {
		uint64_t page; /* the next event's */
		uint32_t slot;
		uint64_t grown_from; /* where e4d_ring_grown() looked last */
	} at[E4D_ROWS];
	uint64_t settled; /* events that user space put in */
	uint64_t lapped;  /* pages that were overwritten before they were looked at */
};

/* n events of one row: a run of E4D_EV_INSIDE, or one E4D_EV_WRITE. Non-zero ends the reading. */
typedef int e4d_ring_fn(void *ctx, const struct e4d_event *e, size_t n);

/* Maps the ring and makes its pages such that they say what they are. 0 or negative errno. */
int e4d_ring_open(struct e4d_ring *r, int map_fd, struct e4d_shared *shared, uint32_t rows,
                  uint32_t row_pages, bool overwrite);

/* Maps the ring of another process, which may go on. -EPROTO: it is not as it should be. */
int e4d_ring_adopt(struct e4d_ring *r, int map_fd, size_t entries, struct e4d_shared *shared);
void e4d_ring_close(struct e4d_ring *r);

/* Slots in the fullest row that wait to be read; and how many more than at the last call. */
uint64_t e4d_ring_waiting(const struct e4d_ring *r);
uint64_t e4d_ring_grown(struct e4d_ring *r);

/*
 * Hands over what ended until then (CLOCK_BOOTTIME ns); in the order of time, or
 * each row by itself, which costs less. What fn was given is given back to the
 * programs when it returns. The number of events is added to *n.
 */
int e4d_ring_read(struct e4d_ring *r, uint64_t until, bool in_order, e4d_ring_fn *fn, void *ctx,
                  uint64_t *n);

/* For the flight recorder: a write that user space settled, into a page of its own. */
void e4d_ring_put(struct e4d_ring *r, const struct e4d_record *rec, uint64_t now);

/* The first of user space's own pages. */
static inline struct e4d_flight_page *e4d_ring_user(const struct e4d_ring *r)
{
	return r->pages + (size_t)r->rows * r->row_pages;
}

/* Pages in all, user space's too. */
static inline size_t e4d_ring_pages(const struct e4d_ring *r)
{
	return (size_t)r->rows * r->row_pages + E4D_FLIGHT_USER;
}

#endif
