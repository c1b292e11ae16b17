/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Writes through libaio's or io_uring's system calls, without a library. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload/async.h"
#include "workload/workload.h"

int wl_aio_open(struct wl_aio *a, unsigned int depth)
{
	a->ctx = 0;
	return syscall(SYS_io_setup, depth, &a->ctx) < 0 ? -errno : 0;
}

static void aio_prepare(struct iocb *cb, int fd, const struct wl_io *io, int rwf)
{
	memset(cb, 0, sizeof(*cb));
	cb->aio_fildes = fd;
	cb->aio_offset = (int64_t)io->off;
	cb->aio_rw_flags = rwf;
	if (io->iovcnt == 1) {
		cb->aio_lio_opcode = IOCB_CMD_PWRITE;
		cb->aio_buf = (uintptr_t)io->iov->iov_base;
		cb->aio_nbytes = io->iov->iov_len;
	} else {
		cb->aio_lio_opcode = IOCB_CMD_PWRITEV;
		cb->aio_buf = (uintptr_t)io->iov;
		cb->aio_nbytes = io->iovcnt;
	}
}

static int aio_reap(struct wl_aio *a, struct wl_io *io, unsigned int count)
{
	struct io_event ev[WL_DEPTH_MAX];

	while (count) {
		long n = syscall(SYS_io_getevents, a->ctx, 1, count, ev, NULL);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (long i = 0; i < n; i++)
			io[ev[i].data].ret = ev[i].res;
		count -= n > 0 ? n : 0;
	}
	return 0;
}

int wl_aio_write(struct wl_aio *a, int fd, struct wl_io *io, unsigned int count, int rwf)
{
	struct iocb cb[WL_DEPTH_MAX], *list[WL_DEPTH_MAX];
	unsigned int at = 0, flying = 0;

	if (count > WL_DEPTH_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < count; i++) {
		aio_prepare(&cb[i], fd, &io[i], rwf);
		cb[i].aio_data = i;
		list[i] = &cb[i];
	}
	while (at < count) {
		long n = syscall(SYS_io_submit, a->ctx, count - at, list + at);

		if (n > 0) {
			at += n;
			flying += n;
		} else {
			/* The first of the rest is refused: it alone, not the others. */
			io[at++].ret = n < 0 ? -errno : -EIO;
		}
	}
	return aio_reap(a, io, flying);
}

static void *uring_map(const struct wl_uring *u, size_t len, off_t at)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, at);

	return p == MAP_FAILED ? NULL : p;
}

static size_t sq_bytes(const struct wl_uring *u)
{
	return u->p.sq_off.array + u->p.sq_entries * sizeof(uint32_t);
}

static size_t cq_bytes(const struct wl_uring *u)
{
	return u->p.cq_off.cqes + u->p.cq_entries * sizeof(struct io_uring_cqe);
}

int wl_uring_open(struct wl_uring *u, unsigned int depth)
{
	int err;

	memset(u, 0, sizeof(*u));
	u->fd = (int)syscall(SYS_io_uring_setup, depth, &u->p);
	if (u->fd < 0)
		return -errno;
	u->sq = uring_map(u, sq_bytes(u), IORING_OFF_SQ_RING);
	u->cq = uring_map(u, cq_bytes(u), IORING_OFF_CQ_RING);
	u->sqes = uring_map(u, u->p.sq_entries * sizeof(*u->sqes), IORING_OFF_SQES);
	if (u->sq && u->cq && u->sqes)
		return 0;
	err = -errno;
	wl_uring_close(u);
	return err;
}

void wl_uring_close(struct wl_uring *u)
{
	if (u->sq)
		munmap(u->sq, sq_bytes(u));
	if (u->cq)
		munmap(u->cq, cq_bytes(u));
	if (u->sqes)
		munmap(u->sqes, u->p.sq_entries * sizeof(*u->sqes));
	close(u->fd);
}

int wl_uring_register(struct wl_uring *u, void *buf, uint64_t len)
{
	struct iovec iov = {buf, len};

	return syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_BUFFERS, &iov, 1) < 0 ? -errno
	                                                                                   : 0;
}

static void uring_prepare(struct io_uring_sqe *sqe, int fd, const struct wl_io *io,
                          unsigned int how, int rwf)
{
	memset(sqe, 0, sizeof(*sqe));
	sqe->fd = fd;
	sqe->off = io->off;
	sqe->rw_flags = rwf;
	if (io->iovcnt == 1) {
		sqe->opcode = how & WL_FIXED ? IORING_OP_WRITE_FIXED : IORING_OP_WRITE;
		sqe->addr = (uintptr_t)io->iov->iov_base;
		sqe->len = (uint32_t)io->iov->iov_len;
	} else {
		sqe->opcode = IORING_OP_WRITEV;
		sqe->addr = (uintptr_t)io->iov;
		sqe->len = io->iovcnt;
	}
}

/* Fills the submission ring; it is empty between two batches. */
static void uring_queue(struct wl_uring *u, int fd, const struct wl_io *io, unsigned int count,
                        unsigned int how, int rwf)
{
	uint32_t *tail = (uint32_t *)(u->sq + u->p.sq_off.tail);
	uint32_t mask = *(uint32_t *)(u->sq + u->p.sq_off.ring_mask);
	uint32_t *array = (uint32_t *)(u->sq + u->p.sq_off.array);

	for (unsigned int i = 0; i < count; i++) {
		uint32_t slot = (*tail + i) & mask;
		struct io_uring_sqe *sqe = &u->sqes[slot];

		uring_prepare(sqe, fd, &io[i], how, rwf);
		sqe->user_data = i;
		if ((how & WL_LINKED) && i + 1 < count)
			sqe->flags |= IOSQE_IO_LINK;
		array[slot] = slot;
	}
	__atomic_store_n(tail, *tail + count, __ATOMIC_RELEASE);
}

static unsigned int uring_reap(struct wl_uring *u, struct wl_io *io)
{
	const struct io_uring_cqe *cqe = (const void *)(u->cq + u->p.cq_off.cqes);
	uint32_t mask = *(uint32_t *)(u->cq + u->p.cq_off.ring_mask);
	uint32_t *head = (uint32_t *)(u->cq + u->p.cq_off.head);
	uint32_t tail = __atomic_load_n((uint32_t *)(u->cq + u->p.cq_off.tail), __ATOMIC_ACQUIRE);
	unsigned int got = 0;

	for (uint32_t at = *head; at != tail; at++, got++)
		io[cqe[at & mask].user_data].ret = cqe[at & mask].res;
	__atomic_store_n(head, tail, __ATOMIC_RELEASE);
	return got;
}

int wl_uring_write(struct wl_uring *u, int fd, struct wl_io *io, unsigned int count,
                   unsigned int how, int rwf)
{
	unsigned int left = count, got = 0;

	if (count > u->p.sq_entries)
		return -EINVAL;
	uring_queue(u, fd, io, count, how, rwf);
	while (got < count) {
		/* What was submitted once must not be again after a signal. */
		long n = syscall(SYS_io_uring_enter, u->fd, left, left ? left : 1,
		                 IORING_ENTER_GETEVENTS, NULL, 0);

		if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY)
			return -errno;
		left -= n > 0 ? n : 0;
		got += uring_reap(u, io);
	}
	return 0;
}

int64_t wl_submit_aio(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res)
{
	struct iovec iov = {buf, len};
	struct wl_io io = {.iov = &iov, .iovcnt = 1, .off = off};
	struct wl_aio aio;
	int err = wl_aio_open(&aio, 1);

	if (err)
		return wl_skip(res, "io_setup", err);
	err = wl_aio_write(&aio, fd, &io, 1, 0);
	return err ? err : io.ret;
}

int64_t wl_submit_uring(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res)
{
	struct iovec iov = {buf, len};
	struct wl_io io = {.iov = &iov, .iovcnt = 1, .off = off};
	struct wl_uring uring;
	int err = wl_uring_open(&uring, 2);

	if (err)
		return wl_skip(res, "io_uring_setup", err);
	err = wl_uring_write(&uring, fd, &io, 1, 0, 0);
	return err ? err : io.ret;
}
