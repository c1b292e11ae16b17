/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * libaio and io_uring through their system calls: batches of writes that are
 * submitted together and all reaped before the call returns. A context may be
 * used again, by the process that opened it only.
 */
#ifndef E4D_ASYNC_H
#define E4D_ASYNC_H

#include <stdint.h>
#include <sys/uio.h>

#include <linux/aio_abi.h>
#include <linux/io_uring.h>

#define WL_DEPTH_MAX 32 /* writes in one batch */

struct wl_io {
	const struct iovec *iov;
	unsigned int iovcnt; /* 1: no vector is passed to the kernel */
	uint64_t off;
	int64_t ret; /* out: bytes or -errno; -ECANCELED: never submitted (linked) */
};

struct wl_aio {
	aio_context_t ctx;
};

struct wl_uring {
	int fd;
	struct io_uring_params p;
	uint8_t *sq;
	uint8_t *cq;
	struct io_uring_sqe *sqes;
};

enum wl_how {
	WL_LINKED = 1u << 0, /* each write waits for the one before, and for its success */
	WL_FIXED = 1u << 1,  /* the buffers lie in what wl_uring_register() was given */
};

/* All return 0 or -errno; a write's own error is in its `ret`. */
int wl_aio_open(struct wl_aio *a, unsigned int depth);
int wl_aio_write(struct wl_aio *a, int fd, struct wl_io *io, unsigned int count, int rwf);
int wl_uring_open(struct wl_uring *u, unsigned int depth);
int wl_uring_register(struct wl_uring *u, void *buf, uint64_t len);
int wl_uring_write(struct wl_uring *u, int fd, struct wl_io *io, unsigned int count,
                   unsigned int how, int rwf);
void wl_uring_close(struct wl_uring *u);

#endif
