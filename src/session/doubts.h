/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* When events were missed, which writes that puts in doubt, and every loss by its name. */
#ifndef E4D_DOUBTS_H
#define E4D_DOUBTS_H

#include <stdbool.h>
#include <stdint.h>
#include "record.h"
#include "session/misses.h"
#include "shared.h"

struct e4d_doubts {
	struct e4d_misses misses;  /* as of the last reading */
	struct e4d_missed *missed; /* the session's shared memory */
};

/* Reads all misses, now. */
void e4d_doubts_read(struct e4d_doubts *d, const struct e4d_attached *a, uint64_t now);

/* Was anything missed so far that may concern any write? */
static inline bool e4d_doubts_any(const struct e4d_doubts *d)
{
	return d->missed->of[E4D_MISS_ANY].n;
}

/* And at or after ts? */
static inline bool e4d_doubts_since(const struct e4d_doubts *d, uint64_t ts)
{
	const struct e4d_missed_spans *s = &d->missed->of[E4D_MISS_ANY];

	return s->n && ts <= s->at[s->n - 1].to;
}

/* A write that overlaps a miss is `unknown`. */
void e4d_doubt(const struct e4d_doubts *d, struct e4d_record *rec);

/* Calls fn for each loss that is not zero; returns the total. */
uint64_t e4d_losses(const struct e4d_counters *sum, const struct e4d_attached *a,
                    const struct e4d_misses *m, void (*fn)(void *ctx, const char *name, uint64_t n),
                    void *ctx);

#endif
