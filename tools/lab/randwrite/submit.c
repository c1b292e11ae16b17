/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The ways to write, and what is changed for the time of one step. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"

#define FIXED_BYTES (RW_FIXED_MAX + RW_PAGE)

struct call {
	struct rw_proc *p;
	int fd;
	int rwf;
	struct wl_io *io;
	unsigned int count;
};

static int call_pwrite(struct call *c)
{
	ssize_t n = pwrite(c->fd, c->io->iov->iov_base, c->io->iov->iov_len, (off_t)c->io->off);

	c->io->ret = n < 0 ? -errno : n;
	return 0;
}

static int call_pwritev(struct call *c)
{
	ssize_t n = pwritev(c->fd, c->io->iov, (int)c->io->iovcnt, (off_t)c->io->off);

	c->io->ret = n < 0 ? -errno : n;
	return 0;
}

static int call_pwritev2(struct call *c)
{
	ssize_t n = pwritev2(c->fd, c->io->iov, (int)c->io->iovcnt, (off_t)c->io->off, c->rwf);

	c->io->ret = n < 0 ? -errno : n;
	return 0;
}

static int call_aio(struct call *c)
{
	return wl_aio_write(&c->p->aio, c->fd, c->io, c->count, c->rwf);
}

static int call_uring(struct call *c)
{
	return wl_uring_write(&c->p->uring, c->fd, c->io, c->count, 0, c->rwf);
}

static int call_uring_fixed(struct call *c)
{
	return wl_uring_write(&c->p->uring, c->fd, c->io, c->count, WL_FIXED, c->rwf);
}

static int call_uring_linked(struct call *c)
{
	return wl_uring_write(&c->p->uring, c->fd, c->io, c->count, WL_LINKED, c->rwf);
}

/* Says once in a run that an interface is missing. */
static enum rw_have missing(uint32_t *said, const char *what, int err, const char *remedy)
{
	if (!__atomic_exchange_n(said, 1, __ATOMIC_RELAXED))
		fprintf(stderr, "randwrite: %s: %s: its writes are skipped; %s\n", what,
		        strerror(-err), remedy);
	return RW_MISSING;
}

static int aio_get(struct rw_proc *p)
{
	int err;

	if (p->have_aio == RW_UNTRIED) {
		err = wl_aio_open(&p->aio, RW_COUNT_MAX);
		p->have_aio = RW_THERE;
		if (err)
			p->have_aio = missing(&p->shared->said_aio, "io_setup", err,
			                      "look at /proc/sys/fs/aio-max-nr");
	}
	return p->have_aio == RW_THERE ? 0 : -ENOSYS;
}

static int fixed_get(struct rw_proc *p)
{
	void *buf =
		mmap(NULL, FIXED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buf == MAP_FAILED)
		return -ENOMEM;
	/* A fork would mark the pinned pages copy-on-write: see buffer.c. */
	madvise(buf, FIXED_BYTES, MADV_DONTFORK);
	p->fixed = buf;
	return wl_uring_register(&p->uring, buf, FIXED_BYTES);
}

int rw_uring_get(struct rw_proc *p, bool fixed)
{
	int err;

	if (p->have_uring == RW_UNTRIED) {
		err = wl_uring_open(&p->uring, RW_COUNT_MAX);
		p->have_uring = RW_THERE;
		if (err)
			p->have_uring = missing(&p->shared->said_uring, "io_uring_setup", err,
			                        "look at /proc/sys/kernel/io_uring_disabled");
	}
	if (fixed && p->have_uring == RW_THERE && p->have_fixed == RW_UNTRIED) {
		err = fixed_get(p);
		p->have_fixed = RW_THERE;
		if (err)
			p->have_fixed = missing(&p->shared->said_uring, "io_uring_register", err,
			                        "raise RLIMIT_MEMLOCK");
	}
	return p->have_uring == RW_THERE && (!fixed || p->have_fixed == RW_THERE) ? 0 : -ENOSYS;
}

static int fixed_need(struct rw_proc *p)
{
	return rw_uring_get(p, true);
}

static int uring_need(struct rw_proc *p)
{
	return rw_uring_get(p, false);
}

static const struct {
	int (*need)(struct rw_proc *p); /* NULL: every machine has it */
	int (*call)(struct call *c);
} ways[RW_VIAS] = {
	[RW_PWRITE] = {NULL, call_pwrite},
	[RW_PWRITEV] = {NULL, call_pwritev},
	[RW_PWRITEV2] = {NULL, call_pwritev2},
	[RW_AIO] = {aio_get, call_aio},
	[RW_URING] = {uring_need, call_uring},
	[RW_URING_FIXED] = {fixed_need, call_uring_fixed},
	[RW_URING_LINKED] = {uring_need, call_uring_linked},
};

static const struct {
	unsigned int flag;
	int rwf;
} rwf_rows[] = {
	{RW_DSYNC, RWF_DSYNC},
	{RW_SYNC, RWF_SYNC},
	{RW_NOWAIT, RWF_NOWAIT},
	{RW_APPEND, RWF_APPEND},
};

static int rwf_of(uint64_t flags)
{
	int rwf = 0;

	for (size_t i = 0; i < sizeof(rwf_rows) / sizeof(rwf_rows[0]); i++)
		if (flags & rwf_rows[i].flag)
			rwf |= rwf_rows[i].rwf;
	return rwf;
}

/* RLIMIT_FSIZE and the timer that kills; both end with the step. */
struct limits {
	struct rlimit fsize;
	timer_t timer;
};

static void limits_set(const struct rw_step *s, struct limits *l)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	struct itimerspec when = {0};

	if (s->fsize != RW_NONE) {
		struct rlimit rl;

		getrlimit(RLIMIT_FSIZE, &l->fsize);
		rl = (struct rlimit){s->fsize, l->fsize.rlim_max};
		setrlimit(RLIMIT_FSIZE, &rl);
	}
	if (s->signal != RW_NONE) {
		when.it_value.tv_sec = (time_t)(s->signal / 1000000);
		when.it_value.tv_nsec = (long)(s->signal % 1000000 * 1000);
		timer_create(CLOCK_MONOTONIC, &ev, &l->timer);
		timer_settime(l->timer, 0, &when, NULL);
	}
}

static void limits_restore(const struct rw_step *s, const struct limits *l)
{
	if (s->signal != RW_NONE)
		timer_delete(l->timer);
	if (s->fsize != RW_NONE)
		setrlimit(RLIMIT_FSIZE, &l->fsize);
}

static bool misaligned(const struct wl_io *io)
{
	uint64_t all = io->off;

	for (unsigned int i = 0; i < io->iovcnt; i++)
		all |= (uintptr_t)io->iov[i].iov_base | io->iov[i].iov_len;
	return all % RW_SECTOR;
}

/* Before the call, so that the writes of a killed writer are known too. */
static struct rw_write *note(struct rw_proc *p, const struct rw_step *s, const struct wl_io *io,
                             unsigned int count, struct rw_log *log)
{
	struct rw_write *first = &log->writes[log->nwrites];

	for (unsigned int i = 0; i < count; i++) {
		uint64_t len = 0;

		for (unsigned int k = 0; k < io[i].iovcnt; k++)
			len += io[i].iov[k].iov_len;
		first[i] = (struct rw_write){
			.order = __atomic_fetch_add(&p->shared->order, 1, __ATOMIC_RELAXED),
			.offset = io[i].off,
			.submitted = len,
			.pid = p->pid,
			.tid = p->pid,
			.via = (enum rw_via)s->via,
			.nowait = s->flags & RW_NOWAIT,
			.append = s->flags & RW_APPEND,
			.misaligned = misaligned(&io[i]),
		};
	}
	log->nwrites += count;
	return first;
}

static int64_t submit(struct rw_proc *p, const struct rw_step *s, struct wl_io *io,
                      unsigned int count, struct rw_write *w, bool skipped)
{
	const struct rw_via_row *via = &rw_vias[s->via];
	int fd = rw_proc_direct(p, via->rwf ? 0 : (unsigned int)s->flags);
	struct call c = {p, fd, via->rwf ? rwf_of(s->flags) : 0, io, count};
	struct limits limits;
	int err = skipped ? -ENOSYS : fd < 0 ? fd : 0;

	if (!err) {
		limits_set(s, &limits);
		err = ways[s->via].call(&c);
		limits_restore(s, &limits);
	}
	for (unsigned int i = 0; i < count; i++) {
		w[i].ret = err ? err : io[i].ret;
		w[i].done = !skipped;
		w[i].skipped = skipped;
		w[i].canceled = !err && s->via == RW_URING_LINKED && w[i].ret == -ECANCELED;
	}
	return w[0].ret;
}

int64_t rw_write_run(struct rw_proc *p, const struct rw_step *s, uint64_t isize, struct rw_log *log,
                     struct rw_result *res)
{
	bool skipped = ways[s->via].need && ways[s->via].need(p);
	struct iovec iov[RW_IOV_MAX];
	struct wl_io io[RW_COUNT_MAX];
	int n;

	if (s->flags & RW_APPEND)
		res->off = isize;
	n = rw_buffers(p, s, res->off, io, iov, log);
	if (n < 0)
		return n;
	return submit(p, s, io, (unsigned int)n, note(p, s, io, (unsigned int)n, log), skipped);
}
