/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Sums of more files and processes than a machine has at hand, by rule: for soak and refresh. */
#ifndef E4D_BENCH_MANY_H
#define E4D_BENCH_MANY_H

#include "session/sums.h"

#define MANY_PROCESSES 10000

/* File i has round * (i % 1000) writes of 4 KiB; `other`, the last, none. */
static inline int many_files(uint32_t files, uint64_t round, e4d_row_fn *fn, void *ctx)
{
	struct e4d_row other = {.other = true};

	for (uint32_t i = 0; i < files; i++) {
		struct e4d_row row = {
			.ino = i + 1, .dev = 1, .gen = 1, .pid = i % MANY_PROCESSES + 1};

		row.sum.writes = row.sum.latency[14] = round * (i % 1000);
		row.sum.submitted = row.sum.writes * 4096;
		fn(ctx, &row);
	}
	fn(ctx, &other);
	return 0;
}

static inline int many_processes(uint64_t round, e4d_row_fn *fn, void *ctx)
{
	struct e4d_row other = {.other = true};

	for (uint32_t i = 0; i < MANY_PROCESSES; i++) {
		struct e4d_row row = {.pid = i + 1, .comm = "many", .sum.writes = round * i};

		fn(ctx, &row);
	}
	fn(ctx, &other);
	return 0;
}

#endif
