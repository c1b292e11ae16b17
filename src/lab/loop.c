/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/loop.h>

#include "lab/loop.h"
#include "validate/mount.h"

#define TRIES 32 /* somebody else may take the free device first */

/* LOOP_CONFIGURE is 5.8 (commit 3448914e8cc5), and with it there is no moment without autoclear. */
static int configure(int fd, int file)
{
	struct loop_config cfg = {.fd = (uint32_t)file, .info.lo_flags = LO_FLAGS_AUTOCLEAR};

	if (!ioctl(fd, LOOP_CONFIGURE, &cfg))
		return 0;
	if (errno != EINVAL && errno != ENOTTY)
		return -errno;
	if (ioctl(fd, LOOP_SET_FD, file))
		return -errno;
	if (!ioctl(fd, LOOP_SET_STATUS64, &cfg.info))
		return 0;
	ioctl(fd, LOOP_CLR_FD);
	return -errno;
}

static int take_device(struct lab_loop *l, int control)
{
	int n = ioctl(control, LOOP_CTL_GET_FREE), err;

	if (n < 0)
		return -errno;
	snprintf(l->path, sizeof(l->path), "/dev/loop%d", n);
	l->fd = open(l->path, O_RDWR | O_CLOEXEC);
	if (l->fd < 0)
		return -errno;
	err = configure(l->fd, l->file);
	if (err)
		close(l->fd);
	return err;
}

int lab_loop_open(struct lab_loop *l, const char *dir, uint64_t size)
{
	const struct e4d_vmount at = {.dir = dir};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int err = control < 0 ? -errno : 0;

	if (err)
		return err;
	l->file = e4d_vmount_file(&at);
	if (l->file < 0)
		err = l->file;
	else if (ftruncate(l->file, (off_t)size))
		err = -errno;
	else
		err = -EBUSY;
	for (int i = 0; i < TRIES && err == -EBUSY; i++)
		err = take_device(l, control);
	close(control);
	if (err && l->file >= 0)
		close(l->file);
	return err;
}

int lab_loop_requests(const struct lab_loop *l, uint64_t bytes)
{
	char path[80], text[32];
	int fd, n = snprintf(text, sizeof(text), "%llu", (unsigned long long)(bytes / WL_KIB));
	int err = 0;

	snprintf(path, sizeof(path), "/sys/block/%s/queue/max_sectors_kb",
	         strrchr(l->path, '/') + 1);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int lab_loop_wipe(struct lab_loop *l, uint64_t size)
{
	if (fallocate(l->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size))
		return errno == EOPNOTSUPP ? 0 : -errno; /* mkfs overwrites what it needs */
	ioctl(l->fd, BLKFLSBUF);
	return 0;
}

void lab_loop_close(struct lab_loop *l)
{
	close(l->fd);
	close(l->file);
}
