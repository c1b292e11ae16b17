/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * holdwrite: direct writes that are held open at a chosen point, for as long
 * as one wishes, so that a machine can be killed inside them. A page of the
 * writer's memory is missing; whoever touches it waits in userfaultfd.
 *
 * Its output is JSON lines with the member "crash" that names the kind of the
 * line: write, ready, begin, end, sync, misses, live, found, fsck. One write(2)
 * each.
 */
#ifndef E4D_HOLD_H
#define E4D_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "workload/workload.h"

#define HOLD_PARTS   4
#define HOLD_FOREVER UINT32_MAX
#define HOLD_NAME    64

enum hold_exit {
	HOLD_OK = 0,
	HOLD_DISAGREE = 1,
	HOLD_USAGE = 2,
	HOLD_NOTHING = 4,
	HOLD_CORRUPT = 6
};

enum hold_kind {
	HOLD_NONE = 0, /* ends the list of parts */
	HOLD_MEM,      /* plain memory */
	HOLD_VVAR,     /* the [vvar] page: can be copied, cannot be pinned */
	HOLD_WAIT,     /* memory whose page at `at` is missing: the write waits */
	HOLD_GONE,     /* memory that cannot be read at all */
};

/* One iovec of the write. */
struct hold_part {
	enum hold_kind kind;
	uint64_t len;
	uint64_t at;   /* HOLD_WAIT: offset of the missing page */
	uint32_t skew; /* bytes that the address is off a page */
};

/* Returns bytes or -errno. */
typedef int64_t (*hold_submit_fn)(int fd, const struct iovec *iov, int count, uint64_t off);

struct hold_case {
	const char *name;
	const char *what;
	uint64_t written;  /* first: bytes written through the page cache */
	uint64_t size;     /* then: truncated to this size, 0: left alone */
	uint64_t keepsize; /* then: fallocate KEEP_SIZE from 0 */
	uint64_t offset;
	struct hold_part part[HOLD_PARTS + 1];
	int oflags;
	hold_submit_fn submit; /* NULL: pwritev */
};

extern const struct hold_case hold_cases[];
extern const size_t hold_case_count;

enum hold_state {
	HOLD_STARTING = 0,
	HOLD_HELD,    /* it waits for its page */
	HOLD_ENDED,   /* the system call has returned */
	HOLD_SKIPPED, /* why[] says what is missing */
};

/* Between a writer and its parent (anonymous shared mapping). */
struct hold_writer {
	uint64_t ino;
	uint64_t held_ns; /* how long the write waited; 0: it never did */
	int64_t ret;
	uint32_t wait_us;
	uint32_t state; /* enum hold_state; the last to be written */
	char why[WL_SKIP_LEN];
};

/* cases.c */
const struct hold_case *hold_find(const char *file);
int64_t hold_submit_aio(int fd, const struct iovec *iov, int count, uint64_t off);
int64_t hold_submit_uring(int fd, const struct iovec *iov, int count, uint64_t off);

/* write.c: one write on a new file; `begun` is called just before it. */
void hold_write(const struct hold_case *c, const char *path, struct hold_writer *w,
                void (*begun)(const char *path, const struct hold_writer *w));
uint64_t hold_now(void);

/* run.c */
struct hold_run {
	const char *name;  /* directory below each DIR: twin, held, ... */
	const char *cases; /* glob over the cases' names */
	unsigned int copies;
	uint32_t wait_us;
};

int hold_run(const struct hold_run *run, char **dirs, int count);

/* loop.c: never returns when all goes well; the machine is to be killed. */
int hold_loop(uint64_t seed, unsigned int workers, char **dirs, int count);

/* live.c */
int hold_live(void);
void hold_misses(void);

/* found.c */
int hold_found(char **dirs, int count);

/* judge.c: each file holds the lines of one kill. */
struct hold_judge {
	const char *label[8]; /* "key=value" for the JSON lines */
	int labels;
	bool json;
	const char *brief; /* one line of this name in place of the table */
};

int hold_judge(const struct hold_judge *opt, char **files, int count);

#endif
