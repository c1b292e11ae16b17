/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What a view is fed with: the two tables of sums, and what the programs do only for it. */
#ifndef E4D_FEED_H
#define E4D_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include "session/sums.h"

struct e4d_feed {
	struct e4d_shared *shared; /* the session's */
	bool all;                  /* cfg.all: no write was only counted */
	struct e4d_table *files, *processes;
	/* of those only counted: before processes were last wanted; while they were */
	struct e4d_unplaced before, sum;
};

/* 0 or -ENOMEM; either way e4d_feed_close() is due. */
int e4d_feed_open(struct e4d_feed *f, struct e4d_shared *shared, bool all);

/* From now on; what: of enum e4d_wanted. */
void e4d_feed_want(struct e4d_feed *f, uint32_t what);

/* A write that user space ended; the programs have not counted it. */
void e4d_feed_settled(struct e4d_feed *f, const struct e4d_record *rec);

/* See e4d_table_read(). */
int e4d_feed_files(struct e4d_feed *f, uint64_t now, e4d_row_fn *fn, void *ctx);
int e4d_feed_processes(struct e4d_feed *f, uint64_t now, e4d_row_fn *fn, void *ctx);

/*
 * Adds what only the rows count, writes whose time was taken, to the INSIDE
 * counters of v, the programs' own so far.
 */
void e4d_feed_count(const struct e4d_feed *f, __u64 *v);

void e4d_feed_close(struct e4d_feed *f);

#endif
