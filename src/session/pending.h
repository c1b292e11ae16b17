/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Settling by patience: a write whose completion was seen and whose thread did
 * nothing since (tracepoint tier). Takes part in the BPF side's claim protocol
 * on the mapped table of writes in flight.
 */
#ifndef E4D_PENDING_H
#define E4D_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "slot.h"

#define E4D_WATCHES 64

/* What the looks at a running thread, whose write waits, have shown. */
struct e4d_watch {
	uint64_t seq;
	int64_t utime, stime; /* at the last look, in ticks */
	int64_t outside;      /* ticks of user mode, and none of the kernel since */
};

struct e4d_pending {
	int fd;
	bool mapped; /* else the table is a hash map (no cmpxchg) */
	struct e4d_slot *slots;
	size_t len;
	struct e4d_shared *shared; /* the session's */
	uint64_t settled;          /* so far: the kernel's pending counter does not know */
	uint64_t plain;            /* plain writes ended at the end: no counter knows them */
	uint64_t next_ns;          /* no scan before */
	struct e4d_watch watch[E4D_WATCHES]; /* by sequence number; a collision starts anew */
};

/* limit: slots of a mapped table that may be used, spread evenly; 0: all. */
int e4d_pending_open(struct e4d_pending *p, int map_fd, bool mapped, struct e4d_shared *shared,
                     uint32_t limit);

/*
 * Hands each settled record to fn. With all set nothing is left: what is
 * pending is settled at once, what is still under way is `unknown`.
 */
int e4d_pending_settle(struct e4d_pending *p, uint64_t now, bool all,
                       int (*fn)(void *ctx, const struct e4d_record *rec), void *ctx);

/*
 * Calls fn with a copy of each state, whatever its phase, in no order; at the moment of the
 * copy it was whole.
 */
void e4d_pending_each(const struct e4d_pending *p, void (*fn)(void *ctx, const struct e4d_slot *s),
                      void *ctx);

/* Plain writes under way. */
size_t e4d_pending_plain(const struct e4d_pending *p);

/*
 * At the end of a session with cfg.all: hands those still under way to fn, as
 * `unknown` records of this tier.
 */
int e4d_pending_end_plain(struct e4d_pending *p, uint64_t now, enum e4d_tier tier,
                          int (*fn)(void *ctx, const struct e4d_record *rec), void *ctx);

void e4d_pending_close(struct e4d_pending *p);

#endif
