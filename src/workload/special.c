/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Setups in the parent, and the cases that a table row cannot describe. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "workload/workload.h"

#define MANY_EXTENTS 1200
#define FILL_LIMIT   (1024 * WL_MIB)

static int write_all(int fd, const void *buf, uint64_t len, uint64_t off)
{
	const char *p = buf;

	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n < 0)
			return -errno;
		p += n;
		off += n;
		len -= n;
	}
	return 0;
}

static int write_pattern(int fd, uint64_t len, uint64_t off)
{
	static uint8_t buf[64 * WL_KIB];
	int err = 0;

	while (len && !err) {
		uint64_t n = len < sizeof(buf) ? len : sizeof(buf);

		wl_fill(buf, n, off, WL_SEED_SETUP);
		err = write_all(fd, buf, n, off);
		off += n;
		len -= n;
	}
	return err;
}

/* What the row asks for: written, size and keepsize, in this order. */
int wl_setup_common(const struct wl_case *c, int fd, struct wl_env *env)
{
	int err = write_pattern(fd, c->written, 0);

	if (!err && c->size && ftruncate(fd, (off_t)c->size))
		err = -errno;
	if (!err && c->keepsize && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)c->keepsize)) {
		err = -errno;
		if (err == -EOPNOTSUPP)
			snprintf(env->skip, sizeof(env->skip), WL_NO_FALLOCATE);
	}
	return err;
}

/* Every second block, so that no two extents merge and the tree gets a level. */
int wl_setup_many_extents(const struct wl_case *c, int fd, struct wl_env *env)
{
	int err = 0;

	(void)c;
	for (uint64_t i = 0; i < MANY_EXTENTS && !err; i++)
		err = write_pattern(fd, env->blksize, (2 * i + 1) * env->blksize);
	return err;
}

/* Takes `bytes` off the free space; files without extents must be written. */
static int fill(int fd, uint64_t bytes, uint64_t blksize)
{
	bytes -= bytes % blksize;
	if (!fallocate(fd, 0, 0, (off_t)bytes))
		return 0;
	return errno == EOPNOTSUPP ? write_pattern(fd, bytes, 0) : -errno;
}

int wl_setup_nearly_full(const struct wl_case *c, int fd, struct wl_env *env)
{
	uint64_t leave = c->len / 2;
	struct statfs sf;
	int filler, err = 0;

	if (env->avail > FILL_LIMIT || env->avail < 2 * leave) {
		snprintf(env->skip, sizeof(env->skip), "wants %llu MiB to 1 GiB free, has %llu MiB",
		         (unsigned long long)(2 * leave / WL_MIB),
		         (unsigned long long)(env->avail / WL_MIB));
		return -EFBIG;
	}
	snprintf(env->filler, sizeof(env->filler), "%s/e4d-workload-filler", env->dir);
	unlink(env->filler);
	filler = open(env->filler, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (filler < 0)
		return -errno;
	err = fill(filler, env->avail - leave, env->blksize);
	if (!err && syncfs(filler))
		err = -errno;
	close(filler);
	if (!err && fstatfs(fd, &sf))
		err = -errno;
	if (!err && sf.f_bfree * env->blksize >= c->len) {
		snprintf(env->skip, sizeof(env->skip), "%llu KiB still free for root",
		         (unsigned long long)(sf.f_bfree * env->blksize / WL_KIB));
		err = -EFBIG;
	}
	return err;
}

int64_t wl_run_iovec_vvar(const struct wl_case *c, int fd, struct wl_result *res)
{
	uint64_t first = 7680, last = c->len - first - WL_PAGE;
	uint8_t *a = wl_buffer(first, 2 * WL_PAGE, 0);
	uint8_t *b = wl_buffer(last, last, 0);
	void *vvar = wl_find_vvar();
	struct iovec iov[3];
	ssize_t n;

	if (!vvar) {
		snprintf(res->skip, sizeof(res->skip), "no [vvar] page in this process");
		return -ENOENT;
	}
	if (!a || !b)
		return wl_no_buffer(res);
	wl_fill(a + 512, first, c->offset, WL_SEED_DIRECT);
	wl_fill(b, last, c->offset + first + WL_PAGE, WL_SEED_DIRECT);
	iov[0] = (struct iovec){a + 512, first};
	iov[1] = (struct iovec){vvar, WL_PAGE};
	iov[2] = (struct iovec){b, last};
	res->opaque_from = c->offset + first;
	res->opaque_to = res->opaque_from + WL_PAGE;
	wl_begin(fd, c->offset, c->len, res);
	n = pwritev(fd, iov, 3, (off_t)c->offset);
	return n < 0 ? -errno : n;
}

/* `readable` is the length of the first, aligned iovec. */
int64_t wl_run_iovec_odd(const struct wl_case *c, int fd, struct wl_result *res)
{
	uint64_t first = c->readable, last = c->len - first;
	uint8_t *a = wl_buffer(first, (first + WL_PAGE - 1) / WL_PAGE * WL_PAGE, 0);
	uint8_t *b = wl_buffer(last, (last / WL_PAGE + 2) * WL_PAGE, 0);
	struct iovec iov[2];
	ssize_t n;

	if (!a || !b)
		return wl_no_buffer(res);
	wl_fill(a, first, c->offset, WL_SEED_DIRECT);
	wl_fill(b + 1, last, c->offset + first, WL_SEED_DIRECT);
	iov[0] = (struct iovec){a, first};
	iov[1] = (struct iovec){b + 1, last};
	wl_begin(fd, c->offset, c->len, res);
	n = pwritev(fd, iov, 2, (off_t)c->offset);
	return n < 0 ? -errno : n;
}

/* An overwrite first, then the write that extends: only the second counts. */
int64_t wl_run_twice(const struct wl_case *c, int fd, struct wl_result *res)
{
	uint64_t first = c->offset;
	uint8_t *buf = wl_buffer(first, first, 0);
	int64_t n;

	if (!buf)
		return wl_no_buffer(res);
	wl_begin(fd, 0, first, res);
	n = wl_submit_sync(fd, buf, first, 0, res);
	return n < 0 ? n : wl_run_plain(c, fd, res);
}
