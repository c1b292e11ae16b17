/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Programs from seeds. The same seed, kind and profile give the same text on
 * every machine: nothing but the seed is asked.
 */
#ifndef RW_GENERATE_H
#define RW_GENERATE_H

#include "program.h"

struct rw_kind;
struct rw_profile;

/* Returns 0 or -ENOMEM. */
int rw_generate(uint64_t seed, const struct rw_kind *kind, const struct rw_profile *profile,
                struct rw_program *out);

#endif
