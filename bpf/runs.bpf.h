/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The new blocks of a write, as runs: what was allocated, and what a trim took. */
#ifndef E4D_RUNS_BPF_H
#define E4D_RUNS_BPF_H

#include "state.bpf.h"

/* The one that was added last; before the first, an empty one. */
static __always_inline struct e4d_run *last_run(struct e4d_slot *w)
{
	return &w->runs[(w->run_count - 1) & (E4D_RUNS - 1)];
}

static __always_inline void add_run(struct e4d_slot *w, __u64 start, __u64 end)
{
	struct e4d_run *last = last_run(w);

	if (w->run_count &&
	    ((start <= last->end && end >= last->start) || w->run_count == E4D_RUNS)) {
		if (start < last->start)
			last->start = start;
		if (end > last->end)
			last->end = end;
		return;
	}
	last = &w->runs[w->run_count & (E4D_RUNS - 1)];
	last->start = start;
	last->end = end;
	w->run_count++;
}

/* A truncate removed what lies at and past `to`. */
static __always_inline void cut_runs(struct e4d_slot *w, __u64 to)
{
	w->live = 0;
	for (int i = 0; i < E4D_RUNS; i++) {
		struct e4d_run *r = &w->runs[i];

		if (r->end > to)
			r->end = to;
		if (r->end > r->start && r->end > w->live)
			w->live = r->end;
	}
}

#endif
