/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdio.h>
#include <string.h>
#include "session/doubts.h"
#include "verdict.h"

static void span_add(struct e4d_missed_spans *s, uint64_t from, uint64_t to)
{
	if (s->n == E4D_SPANS) {
		s->at[1].from = s->at[0].from;
		memmove(&s->at[0], &s->at[1], sizeof(s->at) - sizeof(s->at[0]));
		s->n--;
	}
	s->at[s->n].from = from;
	s->at[s->n++].to = to;
}

void e4d_doubts_read(struct e4d_doubts *d, const struct e4d_attached *a, uint64_t now)
{
	struct e4d_missed *m = d->missed;

	e4d_misses_read(a, &d->misses);
	for (int i = 0; i <= E4D_MISS_ANY; i++) {
		if (d->misses.sum[i] != m->sum[i])
			span_add(&m->of[i], m->read_ns, now);
		m->sum[i] = d->misses.sum[i];
	}
	m->read_ns = now;
}

_Static_assert(E4D_MISS_ANY + 1 == sizeof(((struct e4d_missed *)0)->sum) / sizeof(__u64),
               "a place for each kind");

/* From begin to end, both included. */
static bool overlaps(const struct e4d_missed_spans *s, uint64_t begin, uint64_t end)
{
	for (uint64_t i = s->n; i-- > 0 && begin <= s->at[i].to;)
		if (end >= s->at[i].from)
			return true;
	return false;
}

/* Does what was mapped cover what was written? Then no mapping was missed. */
static bool mapping_is_whole(const struct e4d_record *r)
{
	return (r->seen & E4D_SEEN_DIO_SIZE) && r->mapped >= r->dio_size &&
	       r->mapped_end >= r->offset + r->dio_size;
}

void e4d_doubt(const struct e4d_doubts *d, struct e4d_record *rec)
{
	uint64_t end = rec->ts_ns + rec->latency_ns;

	if (!overlaps(&d->missed->of[E4D_MISS_ANY], rec->ts_ns, end) &&
	    (mapping_is_whole(rec) || !overlaps(&d->missed->of[E4D_MISS_MAPPING], rec->ts_ns, end)))
		return;
	rec->doubt |= E4D_DOUBT_LOST;
	rec->verdict = e4d_verdict(rec);
}

uint64_t e4d_losses(const struct e4d_counters *sum, const struct e4d_attached *a,
                    const struct e4d_misses *m, void (*fn)(void *ctx, const char *name, uint64_t n),
                    void *ctx)
{
	static const struct {
		enum e4d_counter c;
		const char *name;
	} table[] = {
		{E4D_C_RING_FULL, "ring_full"},
		{E4D_C_STATE_FULL, "state_full"},
		{E4D_C_STALE, "half_seen"},
		{E4D_C_STACK_FULL, "stack_full"},
	};
	uint64_t total = 0;
	char name[96];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!sum->v[table[i].c])
			continue;
		fn(ctx, table[i].name, sum->v[table[i].c]);
		total += sum->v[table[i].c];
	}
	for (int i = 0; i < a->n; i++) {
		const struct e4d_hook *h = a->hooks[i];

		if (m->prog[i]) {
			snprintf(name, sizeof(name), "recursion_misses:%s", h->prog);
			fn(ctx, name, m->prog[i]);
		}
		if (m->link[i]) {
			snprintf(name, sizeof(name), "link_misses:%s", h->prog);
			fn(ctx, name, m->link[i]);
		}
		total += m->prog[i] + m->link[i];
	}
	return total;
}
