/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/magic.h>

#include "validate/mount.h"

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x00200000
#endif

#define DAX "DAX: no direct I/O goes through the block layer; name another mount"

static enum e4d_exit refuse(struct e4d_vmount *m, enum e4d_exit code, const char *why)
{
	snprintf(m->why, sizeof(m->why), "%s", why);
	return code;
}

/* The name of the block device, as under /proc/fs/ext4. */
static void device_name(struct e4d_vmount *m)
{
	char path[64], link[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(m->dev), minor(m->dev));
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		n = 0;
	link[n] = 0;
	snprintf(m->device, sizeof(m->device), "%.63s",
	         strrchr(link, '/') ? strrchr(link, '/') + 1 : "?");
}

/* Does a line of the file say so? /proc/fs/ext4 names defaults, too. */
static bool file_has(const char *path, const char *prefix, const char *text)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	bool found = false;
	size_t room = 0;

	while (f && !found && getline(&line, &room, f) > 0)
		found = (!*prefix || strstr(line, prefix)) && strstr(line, text);
	free(line);
	if (f)
		fclose(f);
	return found;
}

static bool mountinfo_has(const struct e4d_vmount *m, const char *text)
{
	char dev[32];

	snprintf(dev, sizeof(dev), " %u:%u ", major(m->dev), minor(m->dev));
	return file_has("/proc/self/mountinfo", dev, text);
}

static bool data_journal(const struct e4d_vmount *m)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/fs/ext4/%s/options", m->device);
	return file_has(path, "", "data=journal") || mountinfo_has(m, "data=journal");
}

enum e4d_exit e4d_vmount_look(struct e4d_vmount *m, const char *dir)
{
	struct statfs sf;
	struct stat st;

	memset(m, 0, sizeof(*m));
	m->dir = dir;
	if (stat(dir, &st) || statfs(dir, &sf)) {
		snprintf(m->why, sizeof(m->why), "%s; name a directory on an ext4",
		         strerror(errno));
		return E4D_EXIT_CANNOT;
	}
	if (!S_ISDIR(st.st_mode))
		return refuse(m, E4D_EXIT_CANNOT, "not a directory; name one on an ext4");
	m->dev = st.st_dev;
	m->fs.blksize = sf.f_bsize;
	m->avail = (uint64_t)sf.f_bavail * sf.f_bsize;
	m->total = (uint64_t)sf.f_blocks * sf.f_bsize;
	device_name(m);
	if (sf.f_type != EXT4_SUPER_MAGIC || !mountinfo_has(m, " - ext4 "))
		return refuse(m, E4D_EXIT_NOTHING, "not on ext4; name a directory that is");
	if (sf.f_flags & ST_RDONLY)
		return refuse(m, E4D_EXIT_NOTHING,
		              "mounted read-only; name a directory that can be written");
	if (data_journal(m))
		return refuse(m, E4D_EXIT_NOTHING,
		              "mounted with data=journal, where O_DIRECT writes are buffered; "
		              "name a mount with data=ordered");
	if (mountinfo_has(m, "dax=always"))
		return refuse(m, E4D_EXIT_NOTHING, DAX);
	return E4D_EXIT_CLEAN;
}

enum e4d_exit e4d_vmount_open(struct e4d_vmount *m, const char *dir)
{
	enum e4d_exit code = e4d_vmount_look(m, dir);

	if (code)
		return code;
	if (m->avail < E4D_V_MIN_FREE || m->avail < m->total / 100 * E4D_V_MIN_PERCENT) {
		snprintf(m->why, sizeof(m->why),
		         "nearly full: %llu MiB are free, and %llu MiB and %d %% must be; "
		         "free some, or name another mount",
		         (unsigned long long)(m->avail / WL_MIB), E4D_V_MIN_FREE / WL_MIB,
		         E4D_V_MIN_PERCENT);
		return E4D_EXIT_NOTHING;
	}
	return E4D_EXIT_CLEAN;
}

/* Where there is no O_TMPFILE: a name that is gone at once. */
static int named_file(const struct e4d_vmount *m)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/.ext4diotop-XXXXXX", m->dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

int e4d_vmount_file(const struct e4d_vmount *m)
{
	int fd = open(m->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	return errno == EOPNOTSUPP || errno == EISDIR ? named_file(m) : -errno;
}

static const char *file_refusal(int fd, struct e4d_vmount *m)
{
	struct statx sx;
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return NULL;
	m->fs.extents = flags & FS_EXTENT_FL;
	if (flags & FS_JOURNAL_DATA_FL)
		return "new files here journal their data (chattr +j); name another directory";
	if (flags & FS_ENCRYPT_FL)
		return "new files here are encrypted; name another directory";
	if (!statx(fd, "", AT_EMPTY_PATH, 0, &sx) && (sx.stx_attributes & STATX_ATTR_DAX))
		return DAX;
	return NULL;
}

/* Without extents there is no fallocate, and no cluster either. */
static void allocation_unit(int fd, struct e4d_vfs *fs)
{
	struct stat st;

	fs->unit = fs->blksize;
	if (fstat(fd, &st))
		return;
	fs->base = (uint64_t)st.st_blocks * 512;
	if (!fallocate(fd, 0, 0, (off_t)fs->blksize) && !fstat(fd, &st))
		fs->unit = (uint64_t)st.st_blocks * 512 - fs->base;
}

static enum e4d_exit no_file(struct e4d_vmount *m, int err)
{
	snprintf(m->why, sizeof(m->why),
	         "no file can be made: %s; run as root, or name another directory", strerror(err));
	return E4D_EXIT_CANNOT;
}

enum e4d_exit e4d_vmount_ask(struct e4d_vmount *m)
{
	int fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *why = fd < 0 ? NULL : file_refusal(fd, m);

	if (fd >= 0)
		close(fd);
	if (faccessat(AT_FDCWD, m->dir, W_OK | X_OK, AT_EACCESS))
		return no_file(m, errno);
	return why ? refuse(m, E4D_EXIT_NOTHING, why) : E4D_EXIT_CLEAN;
}

enum e4d_exit e4d_vmount_probe(struct e4d_vmount *m)
{
	int fd = e4d_vmount_file(m);
	enum e4d_exit code = E4D_EXIT_CLEAN;
	const char *why;

	if (fd < 0)
		return no_file(m, -fd);
	why = file_refusal(fd, m);
	if (why)
		code = refuse(m, E4D_EXIT_NOTHING, why);
	else
		allocation_unit(fd, &m->fs);
	close(fd);
	return code;
}
