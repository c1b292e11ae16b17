/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A running tracer: consumes records, reads every loss counter, settles what
 * the kernel side could not, and hands judged records on.
 */
#ifndef E4D_SESSION_H
#define E4D_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include "config.h"
#include "probe/attach.h"
#include "session/flight.h"
#include "session/ring.h"
#include "session/sums.h"
#include "trace.h"

struct e4d_session;

struct e4d_session_opts {
	struct e4d_config cfg;
	enum e4d_tier tier; /* E4D_TIER_NONE: the best that attaches */
	struct e4d_limits limits;
	bool pinned; /* it may outlive this process, whose number may be another's then */
	bool prompt; /* deliver at each tick with records: the disk or /proc is asked about them */
	/* called once for each record; a non-zero return ends the tick with it */
	int (*on_record)(void *ctx, struct e4d_record *rec);
	/* where it is set, writes inside EOF come here, n at a time, of one CPU or
	 * more in the order of their end, and not in their place among the others;
	 * head.reserved is the ring's */
	int (*on_inside)(void *ctx, const struct e4d_ev_inside *e, size_t n);
	void *ctx;
};

/* 0, or negative errno with the reason and its remedy in why. */
int e4d_session_open(const struct e4d_session_opts *opts, struct e4d_session **out, char *why,
                     size_t why_len);

/*
 * A session with cfg.overwrite that another process has opened and pinned in dir, to
 * be looked at or stopped. 0 or negative errno.
 */
int e4d_session_adopt(const struct e4d_session_opts *opts, int dir, struct e4d_session **out);

/*
 * One step, to be made e4d_session_wait_ms() after the last: when records are there
 * and 100 ms have passed or the ring is filling, reads the losses and delivers. A
 * record is delivered only after the misses of its whole life are known. Returns 0,
 * on_record's value, or negative errno.
 */
int e4d_session_tick(struct e4d_session *s);

/* How long the ring may now be left alone, ms: by what the last ticks found in it. */
int e4d_session_wait_ms(const struct e4d_session *s);

/* Detaches, then delivers all that is left; writes still open are settled. */
int e4d_session_stop(struct e4d_session *s);

enum e4d_tier e4d_session_tier(const struct e4d_session *s);

/* What is attached: hooks, programs, maps; the session's. */
const struct e4d_attached *e4d_session_attached(const struct e4d_session *s);

/* Sums over CPUs. */
void e4d_session_counters(const struct e4d_session *s, struct e4d_counters *sum);

/*
 * Only with cfg.files, at each refresh of a view: calls fn for each file, last for
 * `other`, then forgets files that are gone: see e4d_table_read(). What is
 * forgotten goes on counting in `other`, so that the sum of all rows only grows and
 * equals the counters. 0, -EINVAL without cfg.files, or -ENOMEM.
 */
int e4d_session_files(struct e4d_session *s, e4d_row_fn *fn, void *ctx);

/* From now on; what: of enum e4d_wanted, 0: nothing. Only with cfg.files, else -EINVAL. */
int e4d_session_want(struct e4d_session *s, uint32_t what);

/*
 * The same for processes: what ended while E4D_WANT_PROCESSES was set, summed over
 * all such times. Processes that ended are in `other` some refreshes later.
 */
int e4d_session_processes(struct e4d_session *s, e4d_row_fn *fn, void *ctx);

/*
 * Writes under way, in no order. Also without cfg.files; then, and without cfg.all,
 * only those that are followed. The tracepoint tier before 6.6 knows no others either.
 */
void e4d_session_flights(struct e4d_session *s, e4d_flight_fn *fn, void *ctx);

/* The same, as a dump has them. */
void e4d_session_totals(const struct e4d_session *s, struct e4d_ev_counters *e);

/*
 * For the flight recorder (cfg.overwrite), which reads the ring itself: the ring; the
 * losses up to now; and a record of the ring, doubted if it overlaps one. on_record gets
 * only what is no E4D_EV_INSIDE, for its findings.
 */
const struct e4d_ring *e4d_session_ring(const struct e4d_session *s);
void e4d_session_read_losses(struct e4d_session *s);
void e4d_session_doubt(const struct e4d_session *s, struct e4d_record *rec);

/* Calls fn for each loss that is not zero; returns the total. */
uint64_t e4d_session_losses(const struct e4d_session *s,
                            void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx);

/* Records consumed from the ring so far: produced = consumed + ring_full. */
uint64_t e4d_session_consumed(const struct e4d_session *s);

void e4d_session_close(struct e4d_session *s);

#endif
