/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What a process that executes steps has (the program itself, and each worker
 * of a group), and what it notes down about them.
 */
#ifndef RW_PROC_H
#define RW_PROC_H

#include <sys/types.h>

#include "workload/async.h"
#include "program.h"

#define RW_LOG_WRITES (RW_ACTOR_MAX * RW_COUNT_MAX)

/* One O_DIRECT write that was submitted, or was about to be (killed). */
struct rw_write {
	uint64_t order; /* among all writes of the run */
	uint64_t offset;
	uint64_t submitted;
	int64_t ret; /* bytes or -errno, when `done` */
	pid_t pid;
	pid_t tid;
	enum rw_via via;
	bool nowait;
	bool append; /* the kernel chooses the offset */
	bool misaligned;
	bool done;
	bool skipped;  /* this machine does not have the interface */
	bool canceled; /* never reached the file system: an earlier link failed */
};

struct rw_result {
	uint64_t off; /* resolved */
	int64_t ret;
	bool done;
};

struct rw_log {
	struct rw_write writes[RW_LOG_WRITES];
	unsigned int nwrites;
	/* contents that nobody can predict (the vvar page) */
	uint64_t opaque_from;
	uint64_t opaque_to;
	uint8_t seed; /* of the pattern of the last write */
};

struct rw_slot {
	struct rw_step steps[RW_ACTOR_MAX];
	struct rw_result results[RW_ACTOR_MAX];
	unsigned int count;
	uint8_t seed; /* of the first step's pattern */
	struct rw_log log;
};

/* Anonymous shared memory of the program and its workers. */
struct rw_shared {
	uint64_t order;
	uint32_t start;    /* a futex: the group begins when it changes */
	uint32_t said_aio; /* that the interface is missing */
	uint32_t said_uring;
	struct rw_slot slot[RW_ACTORS];
};

/* Readable memory, then memory that cannot be read: buffers end in between. */
struct rw_arena {
	uint8_t *base;
	uint8_t *guard;
};

enum rw_have { RW_UNTRIED, RW_THERE, RW_MISSING };

struct rw_proc {
	const char *path;
	const char *filler;
	struct rw_shared *shared;
	pid_t pid;
	int direct[RW_FLAG_SETS]; /* by flags of open(), -1: not open */
	int buffered;
	struct rw_arena arena;
	uint8_t *fixed; /* registered with `uring` */
	void *vvar;
	enum rw_have have_aio;
	enum rw_have have_uring;
	enum rw_have have_fixed;
	struct wl_aio aio;
	struct wl_uring uring;
};

/* exec.c */
void rw_proc_init(struct rw_proc *p, const char *path, const char *filler,
                  struct rw_shared *shared);
/* In a child: forgets what a fork does not hand down. */
void rw_proc_forked(struct rw_proc *p);
/* A descriptor of the file, opened once; flags are of enum rw_flag. -errno. */
int rw_proc_direct(struct rw_proc *p, unsigned int flags);
int rw_proc_buffered(struct rw_proc *p);
void rw_proc_close(struct rw_proc *p);
/* Executes one step. Errors of the file system are results. */
void rw_step_run(struct rw_proc *p, const struct rw_step *step, uint8_t seed, struct rw_log *log,
                 struct rw_result *res);

/* buffer.c */
int rw_arena_get(struct rw_proc *p);
/*
 * Lays out and fills the buffers of a write step at file offset `off`: io[] has
 * room for RW_COUNT_MAX, iov[] for RW_IOV_MAX entries. Returns the number of
 * writes or -errno.
 */
int rw_buffers(struct rw_proc *p, const struct rw_step *step, uint64_t off, struct wl_io *io,
               struct iovec *iov, struct rw_log *log);

/* submit.c */
int64_t rw_write_run(struct rw_proc *p, const struct rw_step *step, uint64_t isize,
                     struct rw_log *log, struct rw_result *res);
int rw_uring_get(struct rw_proc *p, bool fixed);

#endif
