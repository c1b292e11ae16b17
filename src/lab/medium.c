/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/fs.h>

#include "lab/image.h"
#include "lab/medium.h"

#define SMALL_BYTES  (64 * WL_MIB)
#define SMALL_WRITES (64 * WL_KIB) /* a case's write is several requests: some fit, some do not */
#define TMPFS        "size=96m,mode=0700"
#define FAILED_BYTES (16 * WL_KIB) /* in the middle of a preallocation */

static int disk_up(struct lab_media *m, char *why, size_t len)
{
	int err = m->scratch ? 0 : lab_loop_open(&m->disk, m->work, LAB_IMAGE_BYTES);

	m->dev = m->scratch ? m->scratch : m->disk.path;
	if (err)
		snprintf(why, len, "no loop device: %s", strerror(-err));
	return err;
}

static int disk_wipe(struct lab_media *m)
{
	return m->scratch ? 0 : lab_loop_wipe(&m->disk, LAB_IMAGE_BYTES);
}

static void disk_down(struct lab_media *m)
{
	if (!m->scratch)
		lab_loop_close(&m->disk);
}

static int tmpfs_up(struct lab_media *m, char *why, size_t len)
{
	const struct e4d_vmount at = {.dir = m->work};
	int err = 0;

	if (mount("tmpfs", m->work, "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, TMPFS)) {
		snprintf(why, len, "no tmpfs: %s", strerror(errno));
		return -errno;
	}
	m->ballast = e4d_vmount_file(&at);
	err = m->ballast < 0 ? m->ballast : lab_loop_open(&m->small, m->work, SMALL_BYTES);
	m->dev = m->small.path;
	if (err) {
		snprintf(why, len, "no loop device on a tmpfs: %s", strerror(-err));
		if (m->ballast >= 0)
			close(m->ballast);
		m->ballast = -1;
		lab_umount(m->work);
	}
	return err;
}

static int tmpfs_wipe(struct lab_media *m)
{
	return lab_loop_wipe(&m->small, SMALL_BYTES);
}

/* What holds metadata is there from now on; FITRIM lets the rest go again. */
static int tmpfs_made(struct lab_media *m)
{
	if (fallocate(m->small.file, 0, 0, SMALL_BYTES))
		return -errno;
	return lab_loop_requests(&m->small, SMALL_WRITES);
}

static void tmpfs_down(struct lab_media *m)
{
	lab_loop_close(&m->small);
	close(m->ballast);
	m->ballast = -1;
	lab_umount(m->work);
}

static int dm_here(char *why, size_t len)
{
	int err = lab_dm_here();

	if (err)
		snprintf(why, len, "no device-mapper here (modprobe dm-mod): %s", strerror(-err));
	return err;
}

static int dm_up(struct lab_media *m, char *why, size_t len)
{
	int err = disk_up(m, why, len);

	if (err)
		return err;
	err = lab_dm_open(&m->dm, m->dev);
	m->dev = m->dm.path;
	if (!err)
		return 0;
	snprintf(why, len, "no device-mapper device: %s", strerror(-err));
	disk_down(m);
	return err;
}

static void dm_down(struct lab_media *m)
{
	lab_dm_close(&m->dm);
	disk_down(m);
}

const struct lab_medium lab_mediums[] = {
	{E4D_V_DISK, "disk", NULL, disk_up, disk_wipe, NULL, disk_down},
	{E4D_V_TMPFS, "tmpfs", NULL, tmpfs_up, tmpfs_wipe, tmpfs_made, tmpfs_down},
	{E4D_V_DM, "dm", dm_here, dm_up, NULL, NULL, dm_down},
};

const size_t lab_medium_count = sizeof(lab_mediums) / sizeof(lab_mediums[0]);

const struct lab_medium *lab_medium_of(const struct e4d_vcase *c)
{
	enum e4d_vmedium medium = c->medium == E4D_V_SAFE ? E4D_V_DISK : c->medium;

	for (size_t i = 0; i < lab_medium_count; i++)
		if (lab_mediums[i].medium == medium)
			return &lab_mediums[i];
	return NULL;
}

/*
 * The tmpfs has room for half of the write. Blocks that were written and freed before
 * would need none: freed ones are given back first, and that needs the commit.
 */
static int fill_up(struct lab_media *m, const struct e4d_vcase *c, int fd)
{
	struct fstrim_range all = {.len = UINT64_MAX};
	uint64_t room;
	struct statfs sf;

	if (syncfs(fd) || ioctl(fd, FITRIM, &all) || fstatfs(m->ballast, &sf))
		return -errno;
	room = (uint64_t)sf.f_bavail * sf.f_bsize;
	if (room <= c->w.len / 2)
		return -ENOSPC;
	return fallocate(m->ballast, 0, 0, (off_t)(room - c->w.len / 2)) ? -errno : 0;
}

static int fail_middle(struct lab_media *m, const struct e4d_vcase *c, int fd)
{
	uint64_t at = c->w.len / 2, phys = 0;
	struct wl_map map;
	int err = wl_map_read(fd, &map);

	if (err)
		return err;
	for (size_t i = 0; i < map.count; i++)
		if (map.ext[i].start <= at && at + FAILED_BYTES <= map.ext[i].end)
			phys = map.ext[i].phys + (at - map.ext[i].start);
	wl_map_free(&map);
	return lab_dm_fail_range(&m->dm, phys, phys + FAILED_BYTES);
}

int lab_arm(struct lab_media *m, const struct e4d_vcase *c, int fd, char *why, size_t len)
{
	const char *what = "";
	int err = 0;

	m->armed = true;
	switch (c->trouble) {
	case E4D_V_NOSPC:
		what = "filling the tmpfs up";
		err = fill_up(m, c, fd);
		break;
	case E4D_V_EIO: /* the next commit is seconds off then: none may fail */
		what = "no failing device (modprobe dm-flakey)";
		err = syncfs(fd) ? -errno : lab_dm_fail_writes(&m->dm);
		break;
	case E4D_V_EIO_MIDDLE:
		what = "no failing device";
		err = syncfs(fd) ? -errno : fail_middle(m, c, fd);
		break;
	default:
		m->armed = false;
	}
	if (err)
		snprintf(why, len, "%s: %s", what, strerror(-err));
	return err;
}

void lab_disarm(struct lab_media *m)
{
	if (!m->armed)
		return;
	m->armed = false;
	if (m->ballast < 0)
		lab_dm_mend(&m->dm);
	else if (ftruncate(m->ballast, 0))
		return; /* a tmpfs file that is ours alone */
}
