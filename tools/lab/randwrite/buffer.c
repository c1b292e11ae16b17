/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Buffers of writes. One arena for each process serves all steps: mapping
 * memory anew for each write would cost more than the write.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "workload/workload.h"
#include "proc.h"

/* Every iovec begins on a page of its own and may be skewed by one more. */
#define ARENA_BYTES (RW_BYTES_MAX + 2 * RW_IOV_MAX * RW_PAGE)

static uint8_t *reserve(size_t len, int prot)
{
	void *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/*
	 * A child makes its own: a fork would mark pages copy-on-write that a
	 * ring has pinned. And huge pages would be faulted in at once, while a
	 * writer that is killed should be busy with that.
	 */
	madvise(p, len, MADV_DONTFORK);
	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

int rw_arena_get(struct rw_proc *p)
{
	uint8_t *base;

	if (p->arena.base)
		return 0;
	base = reserve(2 * ARENA_BYTES, PROT_NONE);
	if (!base)
		return -ENOMEM;
	if (mprotect(base, ARENA_BYTES, PROT_READ | PROT_WRITE)) {
		munmap(base, 2 * ARENA_BYTES);
		return -ENOMEM;
	}
	p->arena.base = base;
	p->arena.guard = base + ARENA_BYTES;
	return 0;
}

/* Fills what can be read of [buf, buf + len). */
static void fill(const struct rw_proc *p, uint8_t *buf, uint64_t len, uint64_t off, uint8_t seed)
{
	if (buf < p->arena.guard && buf + len > p->arena.guard)
		len = p->arena.guard - buf;
	else if (buf >= p->arena.guard && buf < p->arena.guard + ARENA_BYTES)
		len = 0;
	wl_fill(buf, len, off, seed);
}

/* One buffer for all writes of the step, one behind the other. */
static int contiguous(const struct rw_proc *p, const struct rw_step *s, uint64_t off,
                      struct wl_io *io, struct iovec *iov)
{
	uint8_t *buf = p->arena.base + s->mem;

	if (s->via == RW_URING_FIXED && p->fixed)
		buf = p->fixed + s->mem;
	else if (s->fail != RW_NONE)
		buf = p->arena.guard - s->fail;
	for (uint64_t i = 0; i < s->count; i++) {
		iov[i] = (struct iovec){buf + i * s->len, s->len};
		io[i] = (struct wl_io){.iov = &iov[i], .iovcnt = 1, .off = off + i * s->len};
	}
	return (int)s->count;
}

/* Where the iovec of [done, done + len) of the write begins. */
static uint8_t *place(const struct rw_proc *p, const struct rw_step *s, uint64_t done, uint64_t len,
                      uint8_t **next)
{
	uint8_t *buf;

	if (s->fail != RW_NONE && done >= s->fail)
		return p->arena.guard + s->mem;
	if (s->fail != RW_NONE && done + len > s->fail)
		return p->arena.guard - (s->fail - done);
	buf = *next + s->mem;
	*next += (s->mem + len + 1 + RW_PAGE - 1) / RW_PAGE * RW_PAGE;
	return buf;
}

static int vector(struct rw_proc *p, const struct rw_step *s, uint64_t off, struct wl_io *io,
                  struct iovec *iov, struct rw_log *log)
{
	unsigned int n = s->vvar && s->iov < 3  ? 3
	                 : s->odd && s->iov < 2 ? 2
	                                        : (unsigned int)s->iov;
	uint64_t rest = s->vvar ? s->len - RW_PAGE : s->len, done = 0;
	uint64_t piece = rest / (s->vvar ? n - 1 : n);
	uint8_t *next = p->arena.base;

	piece -= piece % (rest % RW_SECTOR ? 1 : RW_SECTOR);
	if (s->vvar && !p->vvar)
		p->vvar = wl_find_vvar();
	if (s->vvar && !p->vvar)
		return -ENOENT;
	for (unsigned int i = 0; i < n; i++) {
		bool middle = s->vvar && i == n / 2;
		uint64_t len = middle ? RW_PAGE : i == n - 1 ? s->len - done : piece;

		iov[i].iov_base = middle ? p->vvar : place(p, s, done, len, &next);
		iov[i].iov_len = len;
		if (s->odd && i == n - 1)
			iov[i].iov_base = (uint8_t *)iov[i].iov_base + 1;
		if (middle) {
			log->opaque_from = off + done;
			log->opaque_to = log->opaque_from + RW_PAGE;
		}
		done += len;
	}
	io[0] = (struct wl_io){.iov = iov, .iovcnt = n, .off = off};
	return 1;
}

int rw_buffers(struct rw_proc *p, const struct rw_step *step, uint64_t off, struct wl_io *io,
               struct iovec *iov, struct rw_log *log)
{
	int n, err = rw_arena_get(p);

	if (err)
		return err;
	log->opaque_from = log->opaque_to = 0;
	if (step->iov > 1 || step->vvar || step->odd)
		n = vector(p, step, off, io, iov, log);
	else
		n = contiguous(p, step, off, io, iov);
	/* The pages of a writer that is to be killed are faulted in by the kernel. */
	if (n < 0 || step->signal != RW_NONE) {
		madvise(p->arena.base, ARENA_BYTES, MADV_DONTNEED);
		return n;
	}
	for (int i = 0; i < n; i++) {
		uint64_t pos = io[i].off;

		for (unsigned int k = 0; k < io[i].iovcnt; k++) {
			const struct iovec *v = &io[i].iov[k];

			if (v->iov_base != p->vvar)
				fill(p, v->iov_base, v->iov_len, pos, log->seed);
			pos += v->iov_len;
		}
	}
	return n;
}
