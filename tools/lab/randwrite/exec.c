/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Steps other than writes, and the process's descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "workload/workload.h"
#include "proc.h"

#define FILL_LIMIT (1024ULL * 1024 * 1024)

void rw_proc_init(struct rw_proc *p, const char *path, const char *filler, struct rw_shared *shared)
{
	memset(p, 0, sizeof(*p));
	p->path = path;
	p->filler = filler;
	p->shared = shared;
	p->pid = getpid();
	p->buffered = -1;
	for (int i = 0; i < RW_FLAG_SETS; i++)
		p->direct[i] = -1;
}

void rw_proc_forked(struct rw_proc *p)
{
	struct rw_proc old = *p;

	rw_proc_close(p);
	if (old.have_uring == RW_THERE)
		wl_uring_close(&old.uring);
	rw_proc_init(p, old.path, old.filler, old.shared);
	p->vvar = old.vvar;
}

static int open_once(struct rw_proc *p, int *fd, int flags)
{
	if (*fd < 0) {
		*fd = open(p->path, O_RDWR | O_CLOEXEC | flags);
		if (*fd < 0)
			return -errno;
	}
	return *fd;
}

int rw_proc_direct(struct rw_proc *p, unsigned int flags)
{
	int extra = O_DIRECT;

	if (flags & RW_SYNC)
		extra |= O_SYNC;
	else if (flags & RW_DSYNC)
		extra |= O_DSYNC;
	if (flags & RW_APPEND)
		extra |= O_APPEND;
	return open_once(p, &p->direct[flags % RW_FLAG_SETS], extra);
}

int rw_proc_buffered(struct rw_proc *p)
{
	return open_once(p, &p->buffered, 0);
}

void rw_proc_close(struct rw_proc *p)
{
	for (int i = 0; i < RW_FLAG_SETS; i++) {
		if (p->direct[i] >= 0)
			close(p->direct[i]);
		p->direct[i] = -1;
	}
	if (p->buffered >= 0)
		close(p->buffered);
	p->buffered = -1;
}

struct args {
	struct rw_proc *p;
	const struct rw_step *step;
	int fd; /* buffered */
	uint64_t off;
	uint64_t isize;
	uint8_t seed;
};

static int64_t range(const struct args *a, int mode)
{
	return fallocate(a->fd, mode, (off_t)a->off, (off_t)a->step->len) ? -errno : 0;
}

static int64_t run_falloc(const struct args *a)
{
	return range(a, FALLOC_FL_KEEP_SIZE);
}

static int64_t run_punch(const struct args *a)
{
	return range(a, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

static int64_t run_collapse(const struct args *a)
{
	return range(a, FALLOC_FL_COLLAPSE_RANGE);
}

static int64_t run_truncate(const struct args *a)
{
	return ftruncate(a->fd, (off_t)a->off) ? -errno : 0;
}

static int64_t run_buffered(const struct args *a)
{
	ssize_t n;

	wl_fill(a->p->arena.base, a->step->len, a->off, a->seed);
	n = pwrite(a->fd, a->p->arena.base, a->step->len, (off_t)a->off);
	return n < 0 ? -errno : n;
}

/* Another actor may cut the file, or there is no space: SIGBUS on access. */
static sigjmp_buf mmap_escape;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(mmap_escape, 1);
}

static int64_t dirty(uint8_t *map, uint64_t from, uint64_t len, const struct args *a)
{
	struct sigaction act = {.sa_handler = on_sigbus}, old;
	int64_t ret = -EFAULT;

	sigaction(SIGBUS, &act, &old);
	if (!sigsetjmp(mmap_escape, 1)) {
		wl_fill(map + from, len, a->off, a->seed);
		ret = (int64_t)len;
	}
	sigaction(SIGBUS, &old, NULL);
	return ret;
}

static int64_t run_mmap(const struct args *a)
{
	uint64_t page = a->off / RW_PAGE * RW_PAGE, len = a->step->len;
	uint8_t *map;
	int64_t ret;

	if (a->off >= a->isize)
		return 0;
	if (len > a->isize - a->off)
		len = a->isize - a->off;
	map = mmap(NULL, a->off - page + len, PROT_READ | PROT_WRITE, MAP_SHARED, a->fd,
	           (off_t)page);
	if (map == MAP_FAILED)
		return -errno;
	ret = dirty(map, a->off - page, len, a);
	munmap(map, a->off - page + len);
	return ret;
}

static int64_t run_fsync(const struct args *a)
{
	return fsync(a->fd) ? -errno : 0;
}

static int64_t run_read(const struct args *a)
{
	int fd = rw_proc_direct(a->p, 0);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, a->p->arena.base, a->step->len, (off_t)a->off);
	return n < 0 ? -errno : n;
}

/* Without extents there is no fallocate: the blocks must be written. */
static int64_t write_zeros(const struct args *a, int fd, uint64_t at, uint64_t len)
{
	uint64_t chunk = 1024 * 1024;

	memset(a->p->arena.base, 0, chunk);
	while (len) {
		ssize_t n = pwrite(fd, a->p->arena.base, len < chunk ? len : chunk, (off_t)at);

		if (n < 0)
			return -errno;
		at += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* Takes [at, at + len), in smaller parts when space is short or in pieces. */
static int64_t take(const struct args *a, int fd, uint64_t at, uint64_t len, uint64_t bsize)
{
	uint64_t part = len;

	while (len && part >= bsize) {
		part = (part < len ? part : len) / bsize * bsize;
		if (!part)
			break;
		if (!fallocate(fd, 0, (off_t)at, (off_t)part)) {
			at += part;
			len -= part;
		} else if (errno == EOPNOTSUPP) {
			return write_zeros(a, fd, at, len);
		} else if (errno == ENOSPC) {
			part /= 2;
		} else {
			return -errno;
		}
	}
	return 0;
}

static int64_t run_fill(const struct args *a)
{
	int fd = open(a->p->filler, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct statfs sf;
	uint64_t avail;
	int64_t ret = 0;

	if (fd < 0)
		return -errno;
	/* Blocks of removed files come back with the next commit. */
	if (ftruncate(fd, 0) || syncfs(fd) || fstatfs(fd, &sf)) {
		ret = -errno;
	} else {
		avail = (uint64_t)sf.f_bavail * (uint64_t)sf.f_bsize;
		/* A disk of that size has other users: they would run out of space. */
		if (avail > FILL_LIMIT)
			ret = -EFBIG;
		else if (avail > a->step->leave)
			ret = take(a, fd, 0, avail - a->step->leave, (uint64_t)sf.f_bsize);
		if (!ret && syncfs(fd))
			ret = -errno;
	}
	close(fd);
	return ret;
}

static int64_t run_unfill(const struct args *a)
{
	return unlink(a->p->filler) ? -errno : 0;
}

static int64_t (*const runners[RW_VERBS])(const struct args *a) = {
	[RW_FALLOC] = run_falloc,     [RW_PUNCH] = run_punch,       [RW_COLLAPSE] = run_collapse,
	[RW_TRUNCATE] = run_truncate, [RW_BUFFERED] = run_buffered, [RW_MMAP] = run_mmap,
	[RW_FSYNC] = run_fsync,       [RW_READ] = run_read,         [RW_FILL] = run_fill,
	[RW_UNFILL] = run_unfill,
};

void rw_step_run(struct rw_proc *p, const struct rw_step *step, uint8_t seed, struct rw_log *log,
                 struct rw_result *res)
{
	struct args a = {.p = p, .step = step, .fd = rw_proc_buffered(p), .seed = seed};
	int err = rw_arena_get(p);
	struct stat st;

	if (!err && a.fd < 0)
		err = a.fd;
	else if (!err && fstat(a.fd, &st))
		err = -errno;
	if (!err) {
		a.isize = (uint64_t)st.st_size;
		a.off = rw_pos_at(step->off, a.isize);
		res->off = a.off;
		log->seed = seed;
		if (step->verb == RW_WRITE)
			res->ret = rw_write_run(p, step, a.isize, log, res);
		else
			res->ret = runners[step->verb](&a);
	} else {
		res->ret = err;
	}
	res->done = true;
}
