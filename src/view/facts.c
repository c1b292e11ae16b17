/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "confirm/confirm.h"
#include "record/fields.h"
#include "util/clock.h"
#include "view/beside.h"
#include "view/facts.h"

/* Of ext4's superblock, struct ext4_super_block in fs/ext4/ext4.h. */
#define SB_AT              1024
#define SB_LOG_CLUSTER     0x1c
#define SB_MAGIC           0x38
#define SB_RO_COMPAT       0x64
#define EXT4_MAGIC         0xef53
#define RO_COMPAT_BIGALLOC 0x200

static uint32_t word_at(const unsigned char *sb, size_t at)
{
	uint32_t v;

	memcpy(&v, sb + at, sizeof(v));
	return le32toh(v);
}

/* Opens the block device of that name, if it is the one; -errno. */
static int open_device(const char *name, uint32_t dev)
{
	struct stat st;
	int fd;

	/* looked at first: to open another device may do something to it */
	if (stat(name, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode) || major(st.st_rdev) != e4d_dev_major(dev) ||
	    minor(st.st_rdev) != e4d_dev_minor(dev))
		return -ENXIO;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* By the link that udev makes; else by the name that the kernel gave it, as in devtmpfs. */
static int open_by_number(uint32_t dev)
{
	unsigned int maj = e4d_dev_major(dev), min = e4d_dev_minor(dev);
	char line[256], name[256 + 8];
	int fd;
	FILE *f;

	snprintf(name, sizeof(name), "/dev/block/%u:%u", maj, min);
	fd = open_device(name, dev);
	if (fd >= 0)
		return fd;
	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/uevent", maj, min);
	f = fopen(name, "re");
	if (!f)
		return fd;
	while (fd < 0 && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "DEVNAME=", 8))
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(name, sizeof(name), "/dev/%s", line + 8);
		fd = open_device(name, dev);
	}
	fclose(f);
	return fd;
}

/* No system call tells whether a file system has clusters: its superblock does. */
static int cluster_size(uint32_t dev, uint32_t blksize, uint32_t *cluster)
{
	unsigned char sb[1024];
	int fd = open_by_number(dev), n;

	if (fd < 0)
		return fd;
	n = (int)pread(fd, sb, sizeof(sb), SB_AT);
	close(fd);
	if (n != (int)sizeof(sb) || (word_at(sb, SB_MAGIC) & 0xffff) != EXT4_MAGIC)
		return -EUCLEAN;
	*cluster = blksize;
	if (word_at(sb, SB_RO_COMPAT) & RO_COMPAT_BIGALLOC && word_at(sb, SB_LOG_CLUSTER) < 20)
		*cluster = 1024u << word_at(sb, SB_LOG_CLUSTER);
	return 0;
}

static void look_at_first(struct e4d_facts *f, int fd, const struct e4d_record *id)
{
	struct e4d_past_eof past = {0};
	int flags = 0;

	if (!ioctl(fd, FS_IOC_GETFLAGS, &flags))
		f->flags = (uint32_t)flags;
	f->past_err = e4d_confirm_fd(fd, 0, 0, 0, 0, &past);
	f->written = past.written;
	f->unwritten = past.unwritten;
	f->cluster_err = cluster_size(id->dev, f->blksize, &f->cluster);
}

static void look(struct e4d_facts *f, const struct e4d_record *id, const char *path)
{
	bool first = !f->at_ns || f->past_err == -ESTALE; /* it grew meanwhile */
	struct statx st;
	int fd = e4d_confirm_open(id, path);

	f->there = true;
	f->err = fd < 0 ? fd : 0;
	if (fd < 0)
		return;
	f->err = statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) ? -errno : 0;
	if (!f->err) {
		f->at_ns = e4d_boot_ns();
		f->size = st.stx_size;
		f->allocated = st.stx_blocks * 512;
		f->blksize = st.stx_blksize;
		f->links = st.stx_nlink;
		f->dax = st.stx_attributes & STATX_ATTR_DAX;
	}
	if (!f->err && first)
		look_at_first(f, fd, id);
	close(fd);
}

struct question {
	struct e4d_facts known;
	const struct e4d_record *id;
	const char *path;
};

static void answer(int to, void *ctx)
{
	struct question *q = ctx;
	ssize_t n;

	look(&q->known, q->id, q->path);
	n = write(to, &q->known, sizeof(q->known)); /* less than PIPE_BUF: whole, or not at all */
	(void)n;
}

int e4d_facts_ask(const struct e4d_facts *known, const struct e4d_record *id, const char *path)
{
	struct question q = {*known, id, path};

	return e4d_beside(answer, &q);
}

bool e4d_facts_take(int fd, struct e4d_facts *facts)
{
	struct e4d_facts f = {0};
	ssize_t n = read(fd, &f, sizeof(f));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n != (ssize_t)sizeof(f)) {
		f = *facts;
		f.err = -EIO;
	}
	f.there = true;
	*facts = f;
	close(fd);
	return true;
}
