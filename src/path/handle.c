/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "path/handle.h"
#include "record/fields.h"

#define FILEID_INO32_GEN 1 /* include/linux/exportfs.h; what ext4 encodes */

/* mountinfo escapes blanks and backslashes as \ooo. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		unsigned int c;

		if (*s == '\\' && sscanf(s + 1, "%3o", &c) == 1) {
			*to++ = (char)c;
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

/* The first mount of dev for which use() returns no error; its value, or -ENOENT. */
static int each_mount(__u32 dev, int (*use)(void *ctx, const char *point), void *ctx)
{
	char line[2 * PATH_MAX], point[PATH_MAX];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned int maj, min;
	int rc = -ENOENT;

	if (!f)
		return -errno;
	while (rc < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d %*d %u:%u %*s %4095s", &maj, &min, point) != 3 ||
		    maj != e4d_dev_major(dev) || min != e4d_dev_minor(dev))
			continue;
		unescape(point);
		rc = use(ctx, point);
	}
	fclose(f);
	return rc;
}

/* Never waits for an automount. */
static int open_directory(void *ctx, const char *point)
{
	int fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

static int copy_name(void *ctx, const char *point)
{
	strcpy(ctx, point);
	return 0;
}

int e4d_mount_point(__u32 dev, char *point)
{
	return each_mount(dev, copy_name, point);
}

int e4d_handle_open(const struct e4d_record *rec, int flags)
{
	struct {
		struct file_handle h;
		__u32 id[2];
	} fh = {.h = {.handle_bytes = 8, .handle_type = FILEID_INO32_GEN}};
	int mount, fd;
	struct stat st;

	/* ext4's inode numbers have 32 bits, and it takes generation 0 for any */
	if (rec->ino > 0xffffffffULL || !rec->gen)
		return -ENOENT;
	fh.id[0] = (__u32)rec->ino;
	fh.id[1] = rec->gen;
	mount = each_mount(rec->dev, open_directory, NULL);
	if (mount < 0)
		return mount;
	fd = open_by_handle_at(mount, &fh.h, flags | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(mount);
	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_ino != rec->ino)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}
