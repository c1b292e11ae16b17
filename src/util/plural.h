/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* One write, two writes: printf("%u write%s", n, e4d_s(n)). */
#ifndef E4D_PLURAL_H
#define E4D_PLURAL_H

#include <stdint.h>

static inline const char *e4d_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

#endif
