/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Named direct writes on ext4, each with the disk's own truth about it: for
 * `validate` and for the lab's tools. A case is data where it can be, and a
 * function where it must be.
 */
#ifndef E4D_WORKLOAD_H
#define E4D_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define WL_KIB      1024ULL
#define WL_MIB      (1024ULL * 1024)
#define WL_SKIP_LEN 120
#define WL_PAGE     4096ULL

/* Why cases with keepsize are skipped there. */
#define WL_NO_FALLOCATE "n/a: no fallocate without extents"

/* The two patterns: what setup wrote, and what the direct write wrote. */
#define WL_SEED_SETUP  0x5a
#define WL_SEED_DIRECT 0xc3

/* Shared between the parent and the child that writes (anonymous mapping). */
struct wl_result {
	uint64_t offset;       /* of the last direct write */
	uint64_t submitted;    /* bytes asked for in it */
	uint64_t isize_before; /* i_size just before it */
	uint64_t opaque_from;  /* file range with contents that nobody can */
	uint64_t opaque_to;    /* predict (the vvar page): not compared */
	int64_t ret;           /* bytes or -errno */
	uint32_t writes;       /* O_DIRECT writes submitted */
	bool done;             /* the last write returned */
	bool scarce;           /* skip, for want of what others have taken: memory, descriptors */
	char skip[WL_SKIP_LEN];
};

struct wl_case;

/* What setup in the parent may use. */
struct wl_env {
	const char *dir;
	uint64_t blksize;
	uint64_t avail; /* free bytes, after what the row's numbers ask for */
	char filler[4096];
	char skip[WL_SKIP_LEN];
};

/* One direct write: returns bytes or -errno; may set res->skip. */
typedef int64_t (*wl_submit_fn)(int fd, void *buf, uint64_t len, uint64_t off,
                                struct wl_result *res);
typedef int64_t (*wl_run_fn)(const struct wl_case *c, int fd, struct wl_result *res);
/* Returns 0 or -errno; with env->skip set the case is skipped. */
typedef int (*wl_setup_fn)(const struct wl_case *c, int fd, struct wl_env *env);

enum wl_flag {
	WL_FAULT = 1u << 0,  /* the buffer ends after `readable` bytes */
	WL_AT_EOF = 1u << 1, /* `offset` is i_size when the write starts */
	WL_WORKER = 1u << 2, /* a kernel worker may be the writer that is seen */
};

/* What happens while the write waits for the page that begins after `readable` bytes. */
enum wl_held { WL_HELD_NOT, WL_HELD_SIGNAL, WL_HELD_KILL, WL_HELD_SHUTDOWN };

struct wl_case {
	const char *name;
	const char *what;
	uint64_t written;  /* first: bytes written through the page cache */
	uint64_t size;     /* then: truncated to this size, 0: left alone */
	uint64_t keepsize; /* then: fallocate KEEP_SIZE from 0 */
	uint64_t offset;
	uint64_t len;
	uint64_t readable; /* with WL_FAULT or wl_run_held */
	uint64_t fsize;    /* RLIMIT_FSIZE, 0: none */
	unsigned int skew; /* bytes that the buffer's address is off a page */
	unsigned int flags;
	enum wl_held held; /* with wl_run_held */
	int oflags;
	wl_submit_fn submit; /* NULL: pwrite */
	wl_setup_fn setup;   /* after written, size and keepsize */
	wl_run_fn run;       /* NULL: one write as described above */
};

/* write.c */
void wl_fill(void *buf, uint64_t len, uint64_t off, uint8_t seed);
bool wl_matches(const void *buf, uint64_t len, uint64_t off, uint8_t seed);
void *wl_buffer(uint64_t len, uint64_t readable, uint64_t off);
int64_t wl_skip(struct wl_result *res, const char *what, int err);
int64_t wl_no_buffer(struct wl_result *res);
void wl_begin(int fd, uint64_t off, uint64_t len, struct wl_result *res);
int64_t wl_submit_sync(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res);
int64_t wl_submit_pwritev2(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res);
int64_t wl_submit_nowait(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res);
void *wl_find_vvar(void);
int64_t wl_run_plain(const struct wl_case *c, int fd, struct wl_result *res);

/* async.c */
int64_t wl_submit_aio(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res);
int64_t wl_submit_uring(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res);

/* special.c */
int wl_setup_common(const struct wl_case *c, int fd, struct wl_env *env);
int wl_setup_many_extents(const struct wl_case *c, int fd, struct wl_env *env);
int wl_setup_nearly_full(const struct wl_case *c, int fd, struct wl_env *env);
int64_t wl_run_iovec_vvar(const struct wl_case *c, int fd, struct wl_result *res);
int64_t wl_run_iovec_odd(const struct wl_case *c, int fd, struct wl_result *res);
int64_t wl_run_twice(const struct wl_case *c, int fd, struct wl_result *res);

/* hold.c */
int64_t wl_run_held(const struct wl_case *c, int fd, struct wl_result *res);
int64_t wl_run_held_vvar(const struct wl_case *c, int fd, struct wl_result *res);

/* truth.c */
struct wl_extent {
	uint64_t start;
	uint64_t end;
	uint64_t phys;
	bool unwritten;
	bool delalloc;
};

struct wl_map {
	struct wl_extent *ext;
	size_t count;
	size_t room;
};

struct wl_truth {
	uint64_t past_eof;           /* blocks past up(i_size), by this write */
	uint64_t past_eof_unwritten; /* of these */
	uint64_t prealloc;           /* past up(i_size), there before, unchanged */
	uint64_t allocated;          /* all blocks of the file */
	uint64_t delalloc;           /* reserved, and not flushed: no blocks */
};

int wl_map_read(int fd, struct wl_map *map);
void wl_map_free(struct wl_map *map);
void wl_map_compare(const struct wl_map *before, const struct wl_map *after, uint64_t eof,
                    struct wl_truth *out);
int wl_data_ok(int fd, const struct wl_result *res, bool *ok);

/* run.c */
struct wl_how_run {
	unsigned int seconds; /* the child's, of CPU and of time */
	unsigned int grace;   /* seconds from SIGKILL to giving it up; with meanwhile */
	/* where it is set, called over and over until the child has ended; waits a while */
	void (*meanwhile)(void *ctx);
	/* where it is set, called once the child has ended, before anything is measured */
	void (*ended)(void *ctx);
	void *ctx;
};

/* What came of a case; `after` is freed by wl_outcome_free(). */
struct wl_outcome {
	pid_t pid;
	struct stat st; /* after the write */
	struct wl_map after;
	struct wl_truth truth;
	bool data_ok;            /* with a positive ret only */
	char broke[WL_SKIP_LEN]; /* which step failed and how, with */
	int err;                 /* -ETIMEDOUT: late; -EINTR: killed; -EFAULT: it crashed */
};

enum wl_end { WL_RAN, WL_SKIPPED, WL_BROKE }; /* SKIPPED: res->skip, BROKE: out->broke */

/* Shared memory for the child's result, zeroed, never freed; NULL: no memory. */
struct wl_result *wl_result_new(void);

/* Makes of the empty file what the row wants before the write; see wl_setup_fn.
 * env->filler, where it is set, is the caller's to remove. */
int wl_prepare(const struct wl_case *c, int fd, struct wl_env *env);

/*
 * Lets a child open `path` with O_DIRECT and write; then measures by fd, another
 * descriptor of the same file that may be read.
 */
enum wl_end wl_execute(const struct wl_case *c, const char *path, int fd, const struct wl_env *env,
                       const struct wl_how_run *how, struct wl_result *res, struct wl_outcome *out);
void wl_outcome_free(struct wl_outcome *out);

#endif
