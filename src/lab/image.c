/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lab/image.h"
#include "lab/spawn.h"

#define ARGS         24
#define BUSY_TRIES   100 /* of 20 ms: a writer that was killed may hold the mount for a moment */
#define SUPER        1024
#define SUPER_RO     (SUPER + 100) /* s_feature_ro_compat */
#define ORPHAN_TAKEN 0x10000       /* EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT */

/* What is not named is mkfs's default. */
const struct lab_kind lab_kinds[] = {
	{"4k", true, {"-b", "4096", "-O", "extent,^bigalloc"}},
	{"1k", true, {"-b", "1024", "-O", "extent,^bigalloc"}},
	{"bigalloc", true, {"-b", "4096", "-C", "65536", "-O", "extent,bigalloc"}},
	{"orphan_file", true, {"-b", "4096", "-O", "extent,orphan_file"}},
	{"noextents", false, {"-b", "4096", "-O", "^extent,^64bit"}},
};

const size_t lab_kind_count = sizeof(lab_kinds) / sizeof(lab_kinds[0]);

const struct lab_kind *lab_kind_of(const struct e4d_vresult *r)
{
	size_t len = strcspn(r->name, "/");

	for (size_t i = 0; i < lab_kind_count; i++)
		if (strlen(lab_kinds[i].name) == len && !strncmp(r->name, lab_kinds[i].name, len))
			return &lab_kinds[i];
	return NULL;
}

/* No block is kept for root, and nothing is initialised behind the cases' back. */
static const char *const common[] = {
	"mkfs.ext4",
	"-q",
	"-F",
	"-m",
	"0",
	"-N",
	"2048",
	"-J",
	"size=4",
	"-E",
	"lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0"};

#define COMMON (sizeof(common) / sizeof(common[0]))

/* The first line of what a program said. */
static void first_line(char *why, size_t len, const char *who, const char *said)
{
	snprintf(why, len, "%s: %.*s", who, (int)strcspn(said, "\n"), said);
}

int lab_mkfs(const struct lab_kind *kind, const char *dev, char *why, size_t len)
{
	char *argv[ARGS] = {NULL}, said[1024];
	size_t n = COMMON;
	int rc;

	memcpy(argv, common, sizeof(common));
	for (size_t i = 0; i < 8 && kind->mkfs[i]; i++)
		argv[n++] = (char *)kind->mkfs[i];
	argv[n] = (char *)dev;
	rc = lab_spawn(argv, said, sizeof(said));
	if (rc == -ENOENT)
		snprintf(why, len, "no mkfs.ext4 here: install e2fsprogs");
	else if (rc < 0)
		snprintf(why, len, "mkfs.ext4: %s", strerror(-rc));
	else if (rc)
		first_line(why, len, "mkfs.ext4", said);
	return rc > 0 ? -EOPNOTSUPP : rc;
}

/*
 * A kernel before 5.15 (commit 02f310fcf47f) does not know orphan_file, and mounts it
 * all the same: one that does marks it as taken.
 */
static int orphan_file_used(const char *dev, char *why, size_t len)
{
	int fd = open(dev, O_RDONLY | O_CLOEXEC);
	uint8_t b[4] = {0};
	bool used = fd >= 0 && pread(fd, b, sizeof(b), SUPER_RO) == sizeof(b) &&
	            ((uint32_t)b[2] << 16 & ORPHAN_TAKEN);

	if (fd >= 0)
		close(fd);
	if (used)
		return 0;
	snprintf(why, len, "n/a: this kernel mounts but ignores orphan_file");
	return -EOPNOTSUPP;
}

int lab_mount(const struct lab_kind *kind, const char *dev, const char *dir, char *why, size_t len)
{
	int err;

	/* nothing is committed in the middle of a case but what the case asks for */
	if (mount(dev, dir, "ext4", MS_NODEV | MS_NOSUID | MS_NOEXEC, "commit=300")) {
		err = -errno;
		snprintf(why, len, "n/a: mount: %s", strerror(errno));
		return err == -EINVAL ? -EOPNOTSUPP : err;
	}
	err = strcmp(kind->name, "orphan_file") ? 0 : orphan_file_used(dev, why, len);
	if (err)
		lab_umount(dir);
	return err;
}

int lab_umount(const char *dir)
{
	for (int i = 0; i < BUSY_TRIES && umount(dir); i++) {
		if (errno != EBUSY)
			return -errno;
		usleep(20000);
		if (i == BUSY_TRIES - 1)
			return -EBUSY;
	}
	return 0;
}

int lab_namespace(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return 0;
}
