/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "confirm/confirm.h"
#include "record/fields.h"
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

/* No system call tells whether a file system has clusters: its superblock does. */
static int cluster_size(uint32_t dev, uint32_t blksize, uint32_t *cluster)
{
	unsigned char sb[1024];
	char name[48];
	int fd, n;

	snprintf(name, sizeof(name), "/dev/block/%u:%u", e4d_dev_major(dev), e4d_dev_minor(dev));
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	n = (int)pread(fd, sb, sizeof(sb), SB_AT);
	close(fd);
	if (n != (int)sizeof(sb) || (word_at(sb, SB_MAGIC) & 0xffff) != EXT4_MAGIC)
		return -EUCLEAN;
	*cluster = blksize;
	if (word_at(sb, SB_RO_COMPAT) & RO_COMPAT_BIGALLOC && word_at(sb, SB_LOG_CLUSTER) < 20)
		*cluster = 1024u << word_at(sb, SB_LOG_CLUSTER);
	return 0;
}

static void look(struct e4d_facts *f, const struct e4d_record *id, const char *path)
{
	struct e4d_past_eof past = {0};
	struct statx st;
	int flags = 0, fd = e4d_confirm_open(id, path);

	f->there = true;
	if (fd < 0) {
		f->err = fd;
		return;
	}
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st)) {
		f->err = -errno;
		close(fd);
		return;
	}
	f->size = st.stx_size;
	f->allocated = st.stx_blocks * 512;
	f->blksize = st.stx_blksize;
	f->links = st.stx_nlink;
	f->dax = st.stx_attributes & STATX_ATTR_DAX;
	if (!ioctl(fd, FS_IOC_GETFLAGS, &flags))
		f->flags = (uint32_t)flags;
	f->past_err = e4d_confirm_fd(fd, 0, 0, 0, 0, &past);
	f->written = past.written;
	f->unwritten = past.unwritten;
	f->cluster_err = cluster_size(id->dev, f->blksize, &f->cluster);
	close(fd);
}

/*
 * In the grandchild. It must hold nothing open: a link that it keeps would keep the
 * programs attached for as long as it hangs.
 */
static void answer(int to, const struct e4d_record *id, const char *path)
{
	struct e4d_facts f = {0};

	if (dup2(to, 3) != 3 || close_range(4, ~0U, 0))
		_exit(1);
	look(&f, id, path);
	_exit(write(3, &f, sizeof(f)) != sizeof(f));
}

int e4d_facts_ask(const struct e4d_record *id, const char *path)
{
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	pid = fork();
	if (!pid) {
		/* a grandchild is nobody's zombie */
		if (!fork())
			answer(fd[1], id, path);
		_exit(0);
	}
	close(fd[1]);
	if (pid < 0) {
		close(fd[0]);
		return -EAGAIN;
	}
	waitpid(pid, NULL, 0);
	return fd[0];
}

bool e4d_facts_take(int fd, struct e4d_facts *facts)
{
	struct e4d_facts f = {0};
	ssize_t n = read(fd, &f, sizeof(f));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n != (ssize_t)sizeof(f)) {
		memset(&f, 0, sizeof(f));
		f.err = -EIO;
	}
	f.there = true;
	*facts = f;
	close(fd);
	return true;
}
