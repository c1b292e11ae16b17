/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What the tracer itself costs: time of its programs as the kernel counts it,
 * CPU time of this process, memory.
 */
#ifndef E4D_COST_H
#define E4D_COST_H

#include <stdint.h>
#include <stdio.h>
#include "probe/attach.h"

struct e4d_cost {
	int stats_fd; /* keeps the kernel's statistics on; -errno: refused */
	int n;        /* programs */
	struct {
		const struct e4d_hook *hook;
		uint64_t runs, ns;
	} prog[E4D_MAX_HOOKS];
	uint64_t runs, ns;  /* of all programs */
	uint64_t map_bytes; /* what the maps are charged with */
	uint64_t rss_bytes; /* of this process, mapped maps included */
	/* user and system time of this process, ns: to begin, and since */
	uint64_t start_cpu_ns, cpu_ns;
	uint64_t wall_ns; /* since it began */
	/* where the two began */
	uint64_t cpu_from, wall_from;
};

/*
 * Before the programs are attached: switches the kernel's run-time statistics
 * on, for all BPF programs of the machine, until e4d_cost_close(). Where that
 * is refused stats_fd says so, and the rest is counted.
 */
void e4d_cost_open(struct e4d_cost *c);

/* When the programs are attached: from here on CPU time counts as the tracing's. */
void e4d_cost_begin(struct e4d_cost *c);

/* Reads all figures; before the programs are let go. */
void e4d_cost_read(struct e4d_cost *c, const struct e4d_attached *a);

/* For people, 80 columns at most; writes: how many were traced. */
void e4d_cost_print(const struct e4d_cost *c, uint64_t writes, FILE *out);

void e4d_cost_close(struct e4d_cost *c);

#endif
