/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
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

#include "util/limit.h"
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

/*
 * Of a line of mountinfo, the options of the super block ("rw,data=ordered") of an ext4
 * on dev; NULL: it is of none. Blanks within a field are escaped.
 */
static char *super_options(char *line, dev_t dev)
{
	char *at = strstr(line, " - ext4 "), *options;
	unsigned int maj, min;

	if (!at || sscanf(line, "%*d %*d %u:%u", &maj, &min) != 2 || makedev(maj, min) != dev)
		return NULL;
	options = strchr(at + strlen(" - ext4 "), ' '); /* behind the source */
	if (!options)
		return NULL;
	options[1 + strcspn(options + 1, "\n")] = 0;
	return options + 1;
}

/* Is it mounted as ext4, and by these options with data=journal, or with DAX for all files? */
static bool is_ext4(const struct e4d_vmount *m, bool *data_journal, bool *dax)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mntent mnt = {0};
	char *line = NULL;
	size_t room = 0;
	bool found;

	while (f && !mnt.mnt_opts && getline(&line, &room, f) > 0)
		mnt.mnt_opts = super_options(line, m->dev);
	found = mnt.mnt_opts;
	*data_journal = found && hasmntopt(&mnt, "data=journal");
	*dax = found && hasmntopt(&mnt, "dax=always");
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* Its defaults, too: an option a line. */
static bool journals_by_default(const struct e4d_vmount *m)
{
	char path[128], *line = NULL;
	bool found = false;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/fs/ext4/%s/options", m->device);
	f = fopen(path, "re");
	while (f && !found && getline(&line, &room, f) > 0)
		found = !strcmp(line, "data=journal\n");
	free(line);
	if (f)
		fclose(f);
	return found;
}

enum e4d_exit e4d_vmount_look(struct e4d_vmount *m, const char *dir)
{
	bool data_journal = false, dax = false;
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
	if (sf.f_type != EXT4_SUPER_MAGIC || !is_ext4(m, &data_journal, &dax))
		return refuse(m, E4D_EXIT_NOTHING, "not on ext4; name a directory that is");
	if (sf.f_flags & ST_RDONLY)
		return refuse(m, E4D_EXIT_NOTHING,
		              "mounted read-only; name a directory that can be written");
	if (data_journal || journals_by_default(m))
		return refuse(m, E4D_EXIT_NOTHING,
		              "mounted with data=journal, where O_DIRECT writes are buffered; "
		              "name a mount with data=ordered");
	if (dax)
		return refuse(m, E4D_EXIT_NOTHING, DAX);
	return E4D_EXIT_CLEAN;
}

/* Of `avail` bytes, those above what is to stay free. */
static uint64_t above_floor(const struct e4d_vmount *m, uint64_t avail)
{
	uint64_t least = m->total / 100 * E4D_V_MIN_PERCENT;

	least = least < E4D_V_MIN_FREE ? E4D_V_MIN_FREE : least;
	return avail > least ? avail - least : 0;
}

uint64_t e4d_vmount_room(const struct e4d_vmount *m)
{
	struct statfs sf;

	return statfs(m->dir, &sf) ? 0 : above_floor(m, (uint64_t)sf.f_bavail * sf.f_bsize);
}

enum e4d_exit e4d_vmount_open(struct e4d_vmount *m, const char *dir)
{
	enum e4d_exit code = e4d_vmount_look(m, dir);
	rlim_t limit = e4d_limit_raise(RLIMIT_FSIZE);

	if (code)
		return code;
	if (!above_floor(m, m->avail)) {
		snprintf(m->why, sizeof(m->why),
		         "nearly full: %llu MiB are free, and %llu MiB and %d %% must be; "
		         "free some, or name another mount",
		         (unsigned long long)(m->avail / WL_MIB), E4D_V_MIN_FREE / WL_MIB,
		         E4D_V_MIN_PERCENT);
		return E4D_EXIT_NOTHING;
	}
	if (limit < E4D_V_FILE) {
		snprintf(m->why, sizeof(m->why),
		         "a file may have %llu KiB here, and %llu KiB are needed; raise the limit "
		         "(ulimit -f)",
		         (unsigned long long)(limit / WL_KIB), E4D_V_FILE / WL_KIB);
		return E4D_EXIT_CANNOT;
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

/* Without extents there is no fallocate, and no cluster either. 0 or -errno. */
static int allocation_unit(int fd, struct e4d_vfs *fs)
{
	struct stat st;

	fs->unit = fs->blksize;
	if (fstat(fd, &st))
		return -errno;
	fs->base = (uint64_t)st.st_blocks * 512;
	if (fallocate(fd, 0, 0, (off_t)fs->blksize))
		return errno == EOPNOTSUPP ? 0 : -errno;
	if (fstat(fd, &st))
		return -errno;
	if ((uint64_t)st.st_blocks * 512 > fs->base + fs->unit)
		fs->unit = (uint64_t)st.st_blocks * 512 - fs->base;
	return 0;
}

static const char *remedy(int err)
{
	switch (-err) {
	case ENOSPC:
	case EDQUOT:
		return "free some, or name another mount";
	case EMFILE:
	case ENFILE:
		return "raise the limit (ulimit -n)";
	case EIO:
	case EUCLEAN:
		return "see dmesg, and check the file system (e2fsck)";
	case EACCES:
	case EPERM:
		if (geteuid())
			return "run as root, or name another directory";
		/* fall through */
	default:
		return "name another directory";
	}
}

static enum e4d_exit no_file(struct e4d_vmount *m, int err)
{
	snprintf(m->why, sizeof(m->why), "no file can be made: %s; %s", strerror(-err),
	         remedy(err));
	return E4D_EXIT_CANNOT;
}

enum e4d_exit e4d_vmount_ask(struct e4d_vmount *m)
{
	int fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *why = fd < 0 ? NULL : file_refusal(fd, m);

	if (fd >= 0)
		close(fd);
	if (faccessat(AT_FDCWD, m->dir, W_OK | X_OK, AT_EACCESS))
		return no_file(m, -errno);
	return why ? refuse(m, E4D_EXIT_NOTHING, why) : E4D_EXIT_CLEAN;
}

enum e4d_exit e4d_vmount_probe(struct e4d_vmount *m)
{
	int fd = e4d_vmount_file(m), err = fd < 0 ? fd : 0;
	const char *why = fd < 0 ? NULL : file_refusal(fd, m);

	if (!err && !why)
		err = allocation_unit(fd, &m->fs);
	if (fd >= 0)
		close(fd);
	if (why)
		return refuse(m, E4D_EXIT_NOTHING, why);
	return err ? no_file(m, err) : E4D_EXIT_CLEAN;
}
