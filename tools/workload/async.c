/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* One write through libaio's or io_uring's system calls, without a library. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/aio_abi.h>
#include <linux/io_uring.h>

#include "workload.h"

static int64_t no_interface(struct wl_result *res, const char *what)
{
	int err = errno;

	snprintf(res->skip, sizeof(res->skip), "%s: %s", what, strerror(err));
	return -err;
}

int64_t wl_submit_aio(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res)
{
	aio_context_t ctx = 0;
	struct iocb cb = {0};
	struct iocb *list[1] = {&cb};
	struct io_event ev;

	if (syscall(SYS_io_setup, 1, &ctx) < 0)
		return no_interface(res, "io_setup");
	cb.aio_lio_opcode = IOCB_CMD_PWRITE;
	cb.aio_fildes = fd;
	cb.aio_buf = (uintptr_t)buf;
	cb.aio_nbytes = len;
	cb.aio_offset = (int64_t)off;
	if (syscall(SYS_io_submit, ctx, 1, list) != 1)
		return -errno;
	while (syscall(SYS_io_getevents, ctx, 1, 1, &ev, NULL) != 1)
		if (errno != EINTR)
			return -errno;
	return ev.res;
}

struct uring {
	int fd;
	struct io_uring_params p;
	uint8_t *sq;
	uint8_t *cq;
	struct io_uring_sqe *sqes;
};

static void *uring_map(const struct uring *u, size_t len, off_t at)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, at);

	return p == MAP_FAILED ? NULL : p;
}

/* Returns 0, or -1 with errno. */
static int uring_open(struct uring *u)
{
	memset(u, 0, sizeof(*u));
	u->fd = (int)syscall(SYS_io_uring_setup, 2, &u->p);
	if (u->fd < 0)
		return -1;
	u->sq = uring_map(u, u->p.sq_off.array + u->p.sq_entries * sizeof(uint32_t),
	                  IORING_OFF_SQ_RING);
	u->cq = uring_map(u, u->p.cq_off.cqes + u->p.cq_entries * sizeof(struct io_uring_cqe),
	                  IORING_OFF_CQ_RING);
	u->sqes = uring_map(u, u->p.sq_entries * sizeof(*u->sqes), IORING_OFF_SQES);
	return u->sq && u->cq && u->sqes ? 0 : -1;
}

int64_t wl_submit_uring(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res)
{
	const struct io_uring_cqe *cqe;
	uint32_t *tail, mask, slot;
	struct io_uring_sqe *sqe;
	struct uring u;
	long n;

	if (uring_open(&u))
		return no_interface(res, "io_uring_setup");
	tail = (uint32_t *)(u.sq + u.p.sq_off.tail);
	mask = *(uint32_t *)(u.sq + u.p.sq_off.ring_mask);
	slot = *tail & mask;
	sqe = &u.sqes[slot];
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_WRITE;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = (uint32_t)len;
	sqe->off = off;
	((uint32_t *)(u.sq + u.p.sq_off.array))[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	/* Submit once; a signal during the wait must not submit again. */
	n = syscall(SYS_io_uring_enter, u.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	if (n != 1)
		return n < 0 ? -errno : -EIO;
	while (*(uint32_t *)(u.cq + u.p.cq_off.head) ==
	       __atomic_load_n((uint32_t *)(u.cq + u.p.cq_off.tail), __ATOMIC_ACQUIRE))
		syscall(SYS_io_uring_enter, u.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	mask = *(uint32_t *)(u.cq + u.p.cq_off.ring_mask);
	cqe = (const struct io_uring_cqe *)(u.cq + u.p.cq_off.cqes);
	return cqe[*(uint32_t *)(u.cq + u.p.cq_off.head) & mask].res;
}
