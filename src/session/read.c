/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What a session tells of itself and of what it counted. */
#include <errno.h>
#include <string.h>
#include "session/state.h"

enum e4d_tier e4d_session_tier(const struct e4d_session *s)
{
	return s->att.tier;
}

const struct e4d_attached *e4d_session_attached(const struct e4d_session *s)
{
	return &s->att;
}

/*
 * What is followed late takes its begin back (follow_late in begin.bpf.h). One that began
 * before the hooks came and waited longer for its blocks than the session for it was never
 * counted: there may be nothing to take it from.
 */
static void none_below_zero(__u64 *v)
{
	static const int taken[] = {E4D_C_INSIDE, E4D_C_INSIDE_BYTES, E4D_C_FILTERED};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if ((__s64)v[taken[i]] < 0)
			v[taken[i]] = 0;
}

void e4d_session_counters(const struct e4d_session *s, struct e4d_counters *sum)
{
	const struct e4d_counters *rows = s->shared->rows;
	__u64 *v;

	memset(sum, 0, sizeof(*sum));
	v = sum->v;
	for (int cpu = 0; cpu < s->rows; cpu++)
		for (int c = 0; c < E4D_C_COUNT; c++)
			v[c] += __atomic_load_n(&rows[cpu].v[c], __ATOMIC_RELAXED);
	if (s->opts.cfg.files)
		e4d_feed_count(&s->feed, v);
	for (int c = 0; c < E4D_C_COUNT; c++)
		v[c] += s->settled.v[c];
	none_below_zero(v);
	v[E4D_C_WRITES] += v[E4D_C_INSIDE] + s->pending.plain;
	v[E4D_C_DONE] += v[E4D_C_INSIDE];
	v[E4D_C_PRODUCED] += s->opts.cfg.all ? v[E4D_C_INSIDE] : 0;
	v[E4D_C_VERDICT0 + E4D_CLEAN] += v[E4D_C_INSIDE];
	v[E4D_C_SUBMITTED] += v[E4D_C_INSIDE_BYTES];
}

int e4d_session_want(struct e4d_session *s, uint32_t what)
{
	if (!s->opts.cfg.files)
		return -EINVAL;
	e4d_feed_want(&s->feed, what);
	return 0;
}

int e4d_session_files(struct e4d_session *s, e4d_row_fn *fn, void *ctx)
{
	return s->opts.cfg.files ? e4d_feed_files(&s->feed, e4d_boot_ns(), fn, ctx) : -EINVAL;
}

int e4d_session_processes(struct e4d_session *s, e4d_row_fn *fn, void *ctx)
{
	return s->opts.cfg.files ? e4d_feed_processes(&s->feed, e4d_boot_ns(), fn, ctx) : -EINVAL;
}

void e4d_session_flights(struct e4d_session *s, e4d_flight_fn *fn, void *ctx)
{
	struct e4d_flights f = {.pending = &s->pending,
	                        .shared = s->shared,
	                        .files = s->feed.files,
	                        .tier = s->att.tier,
	                        .all = s->opts.cfg.all};

	e4d_flights_read(&f, fn, ctx);
}

uint64_t e4d_session_losses(const struct e4d_session *s,
                            void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx)
{
	struct e4d_counters sum;

	e4d_session_counters(s, &sum);
	return e4d_losses(&sum, &s->att, &s->doubts.misses, fn, ctx);
}

void e4d_session_totals(const struct e4d_session *s, struct e4d_ev_counters *e)
{
	struct e4d_counters c;

	e4d_session_counters(s, &c);
	memset(e, 0, sizeof(*e));
	e->writes = c.v[E4D_C_WRITES];
	e->done = c.v[E4D_C_DONE];
	e->extending = c.v[E4D_C_EXTEND];
	e->submitted = c.v[E4D_C_SUBMITTED];
	e->mapped = c.v[E4D_C_MAPPED];
	for (int v = 0; v < E4D_VERDICT_COUNT; v++)
		e->verdict[v] = c.v[E4D_C_VERDICT0 + v];
}

const struct e4d_ring *e4d_session_ring(const struct e4d_session *s)
{
	return s->buffer ? NULL : &s->ring;
}

void e4d_session_read_losses(struct e4d_session *s)
{
	e4d_doubts_read(&s->doubts, &s->att, e4d_boot_ns());
}

void e4d_session_doubt(const struct e4d_session *s, struct e4d_record *rec)
{
	e4d_doubt(&s->doubts, rec);
}

uint64_t e4d_session_consumed(const struct e4d_session *s)
{
	return s->consumed;
}
