/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* One write on one new file, and the thread that lets its page be missing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "hold.h"
#include "workload/hold.h"

struct waiter {
	struct wl_hold hold; /* the first member */
	struct hold_writer *w;
};

uint64_t hold_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int skip(struct hold_writer *w, int err, const char *what)
{
	snprintf(w->why, sizeof(w->why), "%s: %s", what, strerror(err));
	return -err;
}

/* Somebody touched the page: says so, waits, gives it. */
static void on_touch(struct wl_hold *h)
{
	struct hold_writer *w = ((struct waiter *)h)->w;
	uint64_t since = hold_now();

	__atomic_store_n(&w->state, HOLD_HELD, __ATOMIC_RELEASE);
	while (w->wait_us == HOLD_FOREVER)
		pause();
	usleep(w->wait_us);
	w->held_ns = hold_now() - since;
	wl_hold_give(h);
}

/* Makes the page a missing one. Returns 0 or -errno with a reason. */
static int arm(struct hold_writer *w, uint8_t *page)
{
	static uint8_t content[WL_PAGE];
	static struct waiter waiter; /* the process is for one write */
	int err;

	waiter.w = w;
	waiter.hold = (struct wl_hold){.page = page, .content = content, .touched = on_touch};
	err = wl_hold_arm(&waiter.hold);
	return err ? skip(w, -err, "userfaultfd (CONFIG_USERFAULTFD, and root, are needed)") : 0;
}

static void *map(uint64_t len, int prot)
{
	void *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int make_part(struct hold_writer *w, const struct hold_part *p, uint64_t off,
                     struct iovec *iov)
{
	uint8_t *base = NULL;

	iov->iov_len = p->len;
	if (p->kind == HOLD_VVAR) {
		iov->iov_base = wl_find_vvar();
		return iov->iov_base ? 0 : skip(w, ENOENT, "[vvar] page");
	}
	base = map(p->skew + p->len, p->kind == HOLD_GONE ? PROT_NONE : PROT_READ | PROT_WRITE);
	if (!base)
		return skip(w, ENOMEM, "buffer");
	/* a huge page would bring the missing page with it */
	madvise(base, p->skew + p->len, MADV_NOHUGEPAGE);
	iov->iov_base = base + p->skew;
	if (p->kind == HOLD_MEM)
		wl_fill(base + p->skew, p->len, off, WL_SEED_DIRECT);
	if (p->kind != HOLD_WAIT)
		return 0;
	wl_fill(base, p->at, off, WL_SEED_DIRECT);
	wl_fill(base + p->at + WL_PAGE, p->len - p->at - WL_PAGE, off + p->at + WL_PAGE,
	        WL_SEED_DIRECT);
	return arm(w, base + p->at);
}

static int make_iovecs(const struct hold_case *c, struct hold_writer *w, struct iovec *iov)
{
	uint64_t off = c->offset;
	int count = 0, err;

	for (const struct hold_part *p = c->part; p->kind != HOLD_NONE; p++) {
		err = make_part(w, p, off, &iov[count++]);
		if (err)
			return err;
		off += p->len;
	}
	return count;
}

/* The file before the write, on the disk: the kill must not undo it. */
static int set_up(const struct hold_case *c, const char *path, struct hold_writer *w)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	void *buf = map(c->written + 1, PROT_READ | PROT_WRITE);
	struct stat st;
	int err = 0;

	if (fd < 0 || !buf)
		return skip(w, errno, path);
	wl_fill(buf, c->written, 0, WL_SEED_SETUP);
	if (pwrite(fd, buf, c->written, 0) != (ssize_t)c->written ||
	    (c->size && ftruncate(fd, (off_t)c->size)) ||
	    (c->keepsize && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)c->keepsize)) ||
	    fstat(fd, &st) || ((c->written || c->size || c->keepsize) && fsync(fd)))
		err = skip(w, errno, "setup");
	else
		w->ino = st.st_ino;
	if (err)
		unlink(path);
	munmap(buf, c->written + 1);
	close(fd);
	return err;
}

void hold_write(const struct hold_case *c, const char *path, struct hold_writer *w,
                void (*begun)(const char *path, const struct hold_writer *w))
{
	struct iovec iov[HOLD_PARTS];
	int fd, count, err = set_up(c, path, w);
	int64_t ret;

	count = err ? err : make_iovecs(c, w, iov);
	fd = count < 0 ? -1 : open(path, O_RDWR | O_DIRECT | O_CLOEXEC | c->oflags);
	if (count >= 0 && fd < 0)
		skip(w, errno, "O_DIRECT");
	if (fd < 0) {
		__atomic_store_n(&w->state, HOLD_SKIPPED, __ATOMIC_RELEASE);
		return;
	}
	if (begun)
		begun(path, w);
	if (c->submit) {
		w->ret = c->submit(fd, iov, count, c->offset);
	} else {
		ret = pwritev(fd, iov, count, (off_t)c->offset);
		w->ret = ret < 0 ? -errno : ret;
	}
	close(fd);
	__atomic_store_n(&w->state, HOLD_ENDED, __ATOMIC_RELEASE);
}
