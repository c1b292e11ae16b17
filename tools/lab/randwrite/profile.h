/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the generator is tuned by: the image's kind, and what to do how often. */
#ifndef RW_PROFILE_H
#define RW_PROFILE_H

#include "program.h"

#define RW_GROUP_WEIGHT RW_VERBS /* beside the verbs in the weights */

struct rw_kind {
	const char *name;
	uint64_t block;
	uint64_t cluster; /* collapse wants multiples of it */
	bool ranges;      /* falloc, punch and collapse make sense */
};

struct rw_profile {
	const char *name;
	unsigned int min; /* steps */
	unsigned int max;
	unsigned int shift;                 /* writes up to 1024 << shift bytes */
	unsigned int big;                   /* per thousand writes: of 1 to 4 MiB */
	unsigned int signal;                /* per thousand writes: killed */
	unsigned int weights[RW_VERBS + 1]; /* of episodes */
};

/* NULL: there is none of that name; rw_names() lists them. */
const struct rw_kind *rw_kind_find(const char *name);
const struct rw_profile *rw_profile_find(const char *name);
void rw_names(FILE *to);

#endif
