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

/* An open directory on a mount of dev; never waits for an automount. */
static int open_mount(__u32 dev)
{
	char line[2 * PATH_MAX], point[PATH_MAX];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned int maj, min;
	int fd = -ENOENT;

	if (!f)
		return -errno;
	while (fd < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d %*d %u:%u %*s %4095s", &maj, &min, point) != 3 ||
		    maj != e4d_dev_major(dev) || min != e4d_dev_minor(dev))
			continue;
		unescape(point);
		fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			fd = -errno;
	}
	fclose(f);
	return fd;
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
	mount = open_mount(rec->dev);
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
