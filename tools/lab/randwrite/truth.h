/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the disk says after an episode, and the JSON line about it. */
#ifndef RW_TRUTH_H
#define RW_TRUTH_H

#include "workload/workload.h"
#include "proc.h"

/* One episode: its steps in the program's order, and what became of them. */
struct rw_episode {
	const char *seed;
	size_t number; /* the step's number in the program, from 1 */
	const struct rw_step *steps;
	const struct rw_result **results; /* of each step */
	size_t count;
	unsigned int actors;
	const struct rw_write **writes; /* of all actors, in order */
	size_t nwrites;
	const struct rw_log *log; /* of the only actor, else NULL */
	uint64_t t0_ns;
	uint64_t t1_ns;
	uint64_t isize_before;
	uint64_t isize_after;
};

struct rw_file {
	char dev[32];
	uint64_t ino;
	uint64_t blksize;
	int fd; /* buffered */
	int direct;
	struct wl_map before; /* the map after the previous episode */
};

struct rw_truth {
	struct wl_truth disk;
	uint64_t lost;
	uint64_t cut;        /* below EOF, mapped before (or by the write) and in a hole now */
	uint64_t eof_hole;   /* the hole that ends at EOF */
	uint64_t falloc;     /* unwritten past EOF, by a falloc of this episode */
	const char *data_ok; /* true, false, null */
	bool killed;
	bool removers;
};

/* Asks the disk; file->before becomes the map of now. Returns 0 or -errno. */
int rw_truth_take(struct rw_file *file, struct rw_episode *e, struct rw_truth *out);
void rw_truth_print(FILE *to, const struct rw_file *file, const struct rw_episode *e,
                    const struct rw_truth *t);

#endif
