/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Losses that no map sees: recursion misses of programs, misses of links. */
#ifndef E4D_MISSES_H
#define E4D_MISSES_H

#include <stdint.h>
#include "probe/attach.h"

struct e4d_misses {
	uint64_t prog[E4D_MAX_HOOKS];
	uint64_t link[E4D_MAX_HOOKS];
	uint64_t sum[E4D_MISS_ANY + 1]; /* by what a miss does */
};

/* Reads all. What the kernel does not expose counts 0. */
void e4d_misses_read(const struct e4d_attached *a, struct e4d_misses *m);

#endif
