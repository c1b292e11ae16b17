/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The step language: text to steps and back. Printing and parsing are inverse,
 * so that what `gen` prints is what `run --seed` executes.
 *
 *   write via=pwrite off=0 len=1M fail=7680 mem=512
 *   @1 write via=aio off=aeof len=64K count=4 flags=dsync
 *   @2 truncate size=eof-4K
 */
#ifndef RW_PROGRAM_H
#define RW_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RW_ACTORS     8                     /* "@1" to "@8" */
#define RW_ACTOR_MAX  32                    /* steps of one actor in one group */
#define RW_COUNT_MAX  16                    /* writes submitted at once */
#define RW_IOV_MAX    16                    /* iovecs of one write */
#define RW_BYTES_MAX  (16ULL * 1024 * 1024) /* of one step */
#define RW_FIXED_MAX  (4ULL * 1024 * 1024)  /* of one step via=uring-fixed */
#define RW_SIGNAL_MAX 10000000ULL           /* microseconds */
#define RW_NONE       UINT64_MAX            /* a key that was not given */
#define RW_PAGE       4096ULL
#define RW_SECTOR     512ULL /* what direct I/O must be aligned to */

enum rw_verb {
	RW_WRITE,
	RW_FALLOC,
	RW_PUNCH,
	RW_COLLAPSE,
	RW_TRUNCATE,
	RW_BUFFERED,
	RW_MMAP,
	RW_FSYNC,
	RW_READ,
	RW_FILL,
	RW_UNFILL,
	RW_VERBS,
};

enum rw_via {
	RW_PWRITE,
	RW_PWRITEV,
	RW_PWRITEV2,
	RW_AIO,
	RW_URING,
	RW_URING_FIXED,
	RW_URING_LINKED,
	RW_VIAS,
};

enum rw_flag {
	RW_DSYNC = 1u << 0,
	RW_SYNC = 1u << 1,
	RW_NOWAIT = 1u << 2,
	RW_APPEND = 1u << 3,
	RW_FLAG_SETS = 1u << 4,
};

enum rw_base {
	RW_ABS,
	RW_EOF,  /* from i_size when the step starts */
	RW_AEOF, /* from i_size rounded up to a page */
};

struct rw_pos {
	enum rw_base base;
	int64_t add;
};

struct rw_step {
	enum rw_verb verb;
	unsigned int actor; /* 0: not in a group */
	struct rw_pos off;  /* of truncate: the size */
	uint64_t via;       /* enum rw_via */
	uint64_t len;
	uint64_t fail;
	uint64_t mem;
	uint64_t iov;
	uint64_t vvar;
	uint64_t odd;
	uint64_t count;
	uint64_t flags; /* enum rw_flag */
	uint64_t fsize;
	uint64_t signal;
	uint64_t leave;
};

struct rw_program {
	struct rw_step *steps;
	size_t count;
	size_t room;
};

/* What a way to write can do. */
struct rw_via_row {
	const char *name;
	bool batch;  /* count= */
	bool vector; /* iov=, vvar=, odd= */
	bool rwf;    /* flags= go with the call; else they are flags of open() */
};

extern const struct rw_via_row rw_vias[RW_VIAS];

/* A step with every optional key at its default. */
struct rw_step rw_step_new(enum rw_verb verb);
/* Returns 0 or -ENOMEM. */
int rw_program_add(struct rw_program *prog, const struct rw_step *step);
void rw_program_free(struct rw_program *prog);
/* NULL, or what is wrong with the step and how to mend it. */
const char *rw_step_wrong(const struct rw_step *step);
/* Returns 0 or -errno; with -EINVAL `why` tells line and reason. */
int rw_program_parse(const char *text, struct rw_program *out, char *why, size_t why_len);
void rw_step_print(FILE *to, const struct rw_step *step);
/* Steps [from, the result) are one episode: a step, or a whole group. */
size_t rw_episode_end(const struct rw_program *prog, size_t from);
uint64_t rw_pos_at(struct rw_pos pos, uint64_t isize);
/* "64K"; returns 0 or -EINVAL. */
int rw_parse_size(const char *text, uint64_t *out);
/* Verbs and keys, for --help. */
void rw_language_help(FILE *to);

#endif
