/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/fs.h>

#include "lab/scratch.h"
#include "lab/spawn.h"
#include "util/escape.h"
#include "workload/workload.h"

#define MIN_BYTES (256 * WL_MIB)

/* blkid puts a backslash before what a shell would take for its own. */
static void unquote(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (*s != '\\' || !s[1])
			*to++ = *s;
		else
			*to++ = *++s;
	*to = 0;
}

/* "ext4 labelled data", of blkid's probe of the device itself, not of its cache. */
static void signature(const char *dev, char *buf, size_t len)
{
	char *const argv[] = {"blkid", "-p", "-o", "export", (char *)dev, NULL};
	char said[4096], type[64] = "", label[256] = "", safe[512];
	int rc = lab_spawn(argv, said, sizeof(said));

	if (rc < 0) {
		snprintf(buf, len, "with contents unknown for want of blkid");
		return;
	}
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strncmp(line, "TYPE=", 5) || (!*type && !strncmp(line, "PTTYPE=", 7)))
			snprintf(type, sizeof(type), "%.60s", strchr(line, '=') + 1);
		if (!strncmp(line, "LABEL=", 6))
			snprintf(label, sizeof(label), " labelled %.200s", line + 6);
	}
	unquote(label);
	e4d_escape_text(safe, sizeof(safe), label, strlen(label));
	snprintf(buf, len, "%s%s%.200s", *type ? "with " : "without a known signature", type, safe);
}

/* Is it mounted here? Elsewhere O_EXCL tells. */
static bool mounted(dev_t dev)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned int major_, minor_;
	bool found = false;
	char line[4096];

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*d %*d %u:%u", &major_, &minor_) == 2 &&
		        makedev(major_, minor_) == dev;
	if (f)
		fclose(f);
	return found;
}

enum e4d_exit lab_scratch(const char *dev, char *lost, size_t lost_len, char *why, size_t len)
{
	/* O_EXCL on a block device: no file system, no swap, no RAID, no mapping has it */
	int fd = open(dev, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC), err = fd < 0 ? errno : 0;
	uint64_t bytes = 0;
	char what[300];
	struct stat st;
	int ro = 0;

	if (fd >= 0 &&
	    (fstat(fd, &st) || ioctl(fd, BLKGETSIZE64, &bytes) || ioctl(fd, BLKROGET, &ro)))
		err = errno;
	if (fd >= 0)
		close(fd);
	if (err == EBUSY || (!err && mounted(st.st_rdev))) {
		snprintf(why, len, "%s is mounted or held by something; it is left alone", dev);
		return E4D_EXIT_CANNOT;
	}
	if (err || !S_ISBLK(st.st_mode)) {
		snprintf(why, len, "%s: %s; name a block device", dev,
		         err && err != ENOTTY ? strerror(err) : "not a block device");
		return E4D_EXIT_CANNOT;
	}
	if (ro) {
		snprintf(why, len, "%s is read-only; name another device", dev);
		return E4D_EXIT_CANNOT;
	}
	if (bytes < MIN_BYTES) {
		snprintf(why, len, "%s has %llu MiB, and %llu MiB are needed; name a larger device",
		         dev, (unsigned long long)(bytes / WL_MIB), MIN_BYTES / WL_MIB);
		return E4D_EXIT_CANNOT;
	}
	signature(dev, what, sizeof(what));
	snprintf(lost, lost_len, "all %llu MiB of %s, a device %s, not mounted",
	         (unsigned long long)(bytes / WL_MIB), dev, what);
	return E4D_EXIT_CLEAN;
}
