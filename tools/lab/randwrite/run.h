/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A run: a directory on ext4, and program after program on a fresh file in it. */
#ifndef RW_RUN_H
#define RW_RUN_H

#include "program.h"

struct rw_run;

struct rw_totals {
	uint64_t sequences;
	uint64_t episodes;
	uint64_t writes;
	uint64_t failed;    /* writes that returned less than was asked for */
	uint64_t extending; /* past the i_size of before the episode */
	uint64_t left;      /* episodes that left blocks past EOF */
	uint64_t killed;    /* episodes in which a writer was killed */
	uint64_t lost;      /* episodes that lost data, or hold other data */
};

/* SIGINT and the like: the run ends after the episode. */
extern volatile int rw_stop_signal;

/* Returns 0 or -errno, and has said why. Prints the header to stdout. */
int rw_run_open(const char *dir, const char *kind, struct rw_run **out);
/* Executes one program as the sequence `seed`. Returns 0 or -errno. */
int rw_run_sequence(struct rw_run *run, const char *seed, const struct rw_program *prog);
const struct rw_totals *rw_run_totals(const struct rw_run *run);
/* Prints the last line. Returns 0, or -errno when the output is not complete. */
int rw_run_close(struct rw_run *run);

#endif
