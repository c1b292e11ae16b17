/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The sums for each file (include/files.h) as user space sees them: read, with
 * what user space itself settled, and forgotten. One reader at a time.
 */
#ifndef E4D_SESSION_FILES_H
#define E4D_SESSION_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared.h"

#define E4D_FILES_IDLE 60 /* reads without a change, until a file may be forgotten */

/* One file; ino 0: all writes whose file has no place, or no more. */
struct e4d_file_sums {
	uint64_t ino;
	uint32_t dev, gen;
	uint64_t writes;    /* >= the sum of latency[]: some of ino 0 were only counted */
	uint64_t submitted; /* bytes */
	int64_t unmapped;   /* submitted - mapped, of writes that were followed, bytes */
	uint64_t extending, shorts, errors, findings;
	uint64_t latency[E4D_LATENCIES]; /* as in struct e4d_file */
	uint32_t last_pid;               /* 0: not known */
};

struct e4d_file_watch {
	uint64_t writes;  /* at the last read */
	uint64_t left_ns; /* CLOCK_BOOTTIME of the first read that found it leaving */
	uint32_t idle;    /* reads since a change */
};

struct e4d_files {
	struct e4d_shared *shared;   /* the session's */
	bool all;                    /* cfg.all: no write was only counted */
	struct e4d_file_sums *extra; /* settled by user space */
	size_t extra_n;
	struct e4d_file_sums gone;          /* of places freed, and what found no room in extra */
	uint64_t freed_writes, freed_bytes; /* of the programs' in `gone` */
	struct e4d_file_watch watch[E4D_FILES];
};

typedef void e4d_file_fn(void *ctx, const struct e4d_file_sums *sums);

/* 0 or -ENOMEM. shared stays the caller's and must outlive it; all is cfg.all. */
int e4d_files_open(struct e4d_files **out, struct e4d_shared *shared, bool all);

/* A write that user space ended; the programs have not counted it. */
void e4d_files_settled(struct e4d_files *f, const struct e4d_record *rec);

/*
 * Calls fn for each file, then for `other` (ino 0), and frees the places of
 * files that are gone or, when the table is nearly full, idle. now is
 * CLOCK_BOOTTIME ns. 0 or -ENOMEM (then fn was not called).
 */
int e4d_files_read(struct e4d_files *f, uint64_t now, e4d_file_fn *fn, void *ctx);

/*
 * Adds what only the rows count, writes whose time was taken, to the INSIDE
 * counters of v, the programs' own so far.
 */
void e4d_files_count(const struct e4d_files *f, __u64 *v);

void e4d_files_close(struct e4d_files *f);

#endif
