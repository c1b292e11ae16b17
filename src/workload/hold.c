/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Writes that are held open between the mapping of their blocks and their end: a
 * page of the buffer is missing, and whoever touches it waits in userfaultfd while
 * something happens.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "workload/hold.h"

#ifndef EXT4_IOC_SHUTDOWN
#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#endif
#define SHUTDOWN_LOGFLUSH 1 /* EXT4_GOING_FLAGS_LOGFLUSH: the journal is committed first */

static void *wait_for_touch(void *arg)
{
	struct wl_hold *h = arg;
	struct uffd_msg msg;

	while (read(h->uffd, &msg, sizeof(msg)) != sizeof(msg))
		if (errno != EINTR && errno != EAGAIN)
			return NULL;
	h->touched(h);
	return NULL;
}

int wl_hold_arm(struct wl_hold *h)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.range = {(uintptr_t)h->page, WL_PAGE},
	                              .mode = UFFDIO_REGISTER_MODE_MISSING};
	pthread_t thread;

	h->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (h->uffd < 0 || ioctl(h->uffd, UFFDIO_API, &api) ||
	    ioctl(h->uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return -pthread_create(&thread, NULL, wait_for_touch, h);
}

void wl_hold_give(struct wl_hold *h)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)h->page, .src = (uintptr_t)h->content, .len = WL_PAGE};

	ioctl(h->uffd, UFFDIO_COPY, &copy);
}

/* A held case: what happens while its write waits. */
struct held {
	struct wl_hold hold; /* the first member */
	enum wl_held how;
	int fd;
	pthread_t writer;
	struct wl_result *res;
	uint8_t content[WL_PAGE];
};

static void on_touch(struct wl_hold *h)
{
	struct held *held = (struct held *)h;
	uint32_t how = SHUTDOWN_LOGFLUSH;

	switch (held->how) {
	case WL_HELD_KILL:
		kill(getpid(), SIGKILL);
		return;
	case WL_HELD_SIGNAL:
		pthread_kill(held->writer, SIGUSR1);
		break;
	case WL_HELD_SHUTDOWN:
		if (ioctl(held->fd, EXT4_IOC_SHUTDOWN, &how))
			snprintf(held->res->skip, sizeof(held->res->skip), "EXT4_IOC_SHUTDOWN: %s",
			         strerror(errno));
		break;
	default:
		break;
	}
	wl_hold_give(h);
}

static void nothing(int sig)
{
	(void)sig;
}

/*
 * `len` bytes of the pattern, of which those from `at` to the end of a page are
 * missing until they are touched. NULL with res->skip.
 */
static uint8_t *held_buffer(const struct wl_case *c, int fd, uint64_t len, uint64_t at,
                            uint64_t off, struct wl_result *res)
{
	static struct held held; /* the process is for one write */
	struct sigaction sa = {.sa_handler = nothing};
	uint64_t head = (at + WL_PAGE - 1) / WL_PAGE * WL_PAGE;
	uint64_t all = head + (len - at + WL_PAGE - 1) / WL_PAGE * WL_PAGE;
	uint8_t *base, *buf;
	int err;

	base = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	/* a huge page would bring the missing page with it */
	madvise(base, all, MADV_NOHUGEPAGE);
	buf = base + (head - at);
	wl_fill(buf, at, off, WL_SEED_DIRECT);
	wl_fill(held.content, WL_PAGE, off + at, WL_SEED_DIRECT);
	if (len > at + WL_PAGE)
		wl_fill(base + head + WL_PAGE, len - at - WL_PAGE, off + at + WL_PAGE,
		        WL_SEED_DIRECT);
	held.hold =
		(struct wl_hold){.page = base + head, .content = held.content, .touched = on_touch};
	held.how = c->held;
	held.fd = fd;
	held.writer = pthread_self();
	held.res = res;
	sigaction(SIGUSR1, &sa, NULL);
	err = wl_hold_arm(&held.hold);
	if (!err)
		return buf;
	wl_skip(res, "userfaultfd", err);
	return NULL;
}

int64_t wl_run_held(const struct wl_case *c, int fd, struct wl_result *res)
{
	uint8_t *buf = held_buffer(c, fd, c->len, c->readable, c->offset, res);
	wl_submit_fn submit = c->submit ? c->submit : wl_submit_sync;

	if (!buf)
		return wl_no_buffer(res);
	wl_begin(fd, c->offset, c->len, res);
	return submit(fd, buf, c->len, c->offset, res);
}

/*
 * `readable` bytes, the [vvar] page, and the held rest: where the direct write ends
 * at the page that cannot be pinned, the fallback waits for the rest.
 */
int64_t wl_run_held_vvar(const struct wl_case *c, int fd, struct wl_result *res)
{
	uint64_t last = c->len - c->readable - WL_PAGE;
	uint8_t *first = wl_buffer(c->readable, c->readable, c->offset);
	uint8_t *rest = held_buffer(c, fd, last, 0, c->offset + c->readable + WL_PAGE, res);
	struct iovec iov[3] = {{first, c->readable}, {wl_find_vvar(), WL_PAGE}, {rest, last}};
	ssize_t n;

	if (!iov[1].iov_base)
		snprintf(res->skip, sizeof(res->skip), "no [vvar] page in this process");
	if (!first || !rest || res->skip[0])
		return wl_no_buffer(res);
	res->opaque_from = c->offset + c->readable;
	res->opaque_to = res->opaque_from + WL_PAGE;
	wl_begin(fd, c->offset, c->len, res);
	n = pwritev(fd, iov, 3, (off_t)c->offset);
	return n < 0 ? -errno : n;
}
