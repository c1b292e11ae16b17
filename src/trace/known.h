/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The files whose paths a rotation has already: a bounded set, which forgets all when it is full.
 */
#ifndef E4D_TRACE_KNOWN_H
#define E4D_TRACE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

struct e4d_known_file;

struct e4d_known {
	struct e4d_known_file *file; /* by hash, open addressing; owned */
	unsigned int n;
};

/* 0 or -ENOMEM. */
int e4d_known_open(struct e4d_known *k);
void e4d_known_close(struct e4d_known *k);
bool e4d_known_has(const struct e4d_known *k, uint32_t dev, uint64_t ino, uint32_t gen);
/* False: it was there. */
bool e4d_known_add(struct e4d_known *k, uint32_t dev, uint64_t ino, uint32_t gen);
void e4d_known_forget(struct e4d_known *k);

#endif
