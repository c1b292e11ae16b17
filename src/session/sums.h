/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The sums for each file and for each process (include/sums.h) as user space sees
 * them: read, with what user space itself settled, and forgotten. One reader at a
 * time.
 */
#ifndef E4D_SESSION_SUMS_H
#define E4D_SESSION_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "session/figures.h"

#define E4D_IDLE_READS 60 /* reads without a change, until a place may be freed */

/* One file or process, or `other`: those that have no place, or no more. */
struct e4d_row {
	bool other;
	uint64_t ino;   /* a file's; dev and gen as in the record */
	uint32_t dev;   /* 0: not a file's row */
	uint32_t gen;   /* */
	uint32_t pid;   /* the process; of a file: who made one write in 64 or so, 0: not known */
	uint32_t flags; /* of a file: E4D_F_* of one write in 64 or so, and of all followed */
	char comm[E4D_COMM_LEN]; /* a process's; empty: not known */
	struct e4d_figures sum;  /* of `other`: some writes were only counted, without latency */
};

typedef void e4d_row_fn(void *ctx, const struct e4d_row *row);

/* Writes that were counted at their begin, and are in no row. */
struct e4d_unplaced {
	uint64_t writes, bytes;
};

struct e4d_table;

/* 0 or -ENOMEM. shared stays the caller's and must outlive it. */
int e4d_table_open_files(struct e4d_table **out, struct e4d_shared *shared);
int e4d_table_open_processes(struct e4d_table **out, struct e4d_shared *shared);

/* A write that user space ended; the programs have not counted it. */
void e4d_table_settled(struct e4d_table *t, const struct e4d_record *rec);

/*
 * Calls fn for each row, last for `other`, which unplaced (may be NULL) is part of;
 * then frees the places of what is gone or, when the table is nearly full, idle. now is
 * CLOCK_BOOTTIME ns. 0 or -ENOMEM (then fn was not called).
 */
int e4d_table_read(struct e4d_table *t, uint64_t now, const struct e4d_unplaced *unplaced,
                   e4d_row_fn *fn, void *ctx);

/* Writes and bytes in the programs' rows so far, of places freed too. */
void e4d_table_total(const struct e4d_table *t, uint64_t *writes, uint64_t *bytes);

/* The row of a key as the programs write it now, or NULL. */
const struct e4d_sums *e4d_table_find(const struct e4d_table *t, uint64_t key);

void e4d_table_close(struct e4d_table *t);

#endif
