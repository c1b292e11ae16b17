/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What is counted for a file, a process or a file system, and what is made of two counts. */
#ifndef E4D_SESSION_FIGURES_H
#define E4D_SESSION_FIGURES_H

#include <stdint.h>
#include "shared.h"

struct e4d_figures {
	uint64_t writes;
	uint64_t submitted; /* bytes */
	int64_t unmapped;   /* submitted - mapped, of writes that were followed, bytes */
	uint64_t over;      /* mapped beyond the blocks written to, of the same, bytes */
	uint64_t extending, shorts, errors, findings;
	uint64_t latency[E4D_LATENCIES]; /* writes by log2 of ns; [0]: not known */
};

/* One write more, counted as the kernel side counts it. */
void e4d_figures_count(struct e4d_figures *f, const struct e4d_record *rec);

void e4d_figures_add(struct e4d_figures *to, const struct e4d_figures *from);

/* a - b; 0 where b is more, because a part of it has gone to `other`. */
struct e4d_figures e4d_figures_since(const struct e4d_figures *a, const struct e4d_figures *b);

/*
 * The latency, ns, that `per_mille` of the writes do not exceed: 500 is the median.
 * Straight within a power of two. 0: no write's is known.
 */
double e4d_figures_latency(const struct e4d_figures *s, unsigned int per_mille);

#endif
