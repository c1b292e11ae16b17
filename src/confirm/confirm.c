/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/fiemap.h>
#include <linux/fs.h>

#include "confirm/confirm.h"
#include "path/handle.h"
#include "path/path.h"
#include "verdict.h"

#define CHUNK 64
/* 2^20 chunks are more extents than an ext4 file can hold in 4 TiB. */
#define MAX_CHUNKS (1u << 20)

struct own_range {
	__u64 from, to;
	bool unwritten;
};

static __u64 overlap(__u64 a, __u64 b, __u64 c, __u64 d)
{
	__u64 from = a > c ? a : c, to = b < d ? b : d;

	return to > from ? to - from : 0;
}

/* Adds one extent; returns its end, 0 when it makes no sense. */
static __u64 add_extent(const struct fiemap_extent *x, __u64 eof, const struct own_range *own,
                        struct e4d_past_eof *out)
{
	__u64 end = x->fe_logical + x->fe_length, past;

	if (!x->fe_length || end < x->fe_logical)
		return 0;
	/* after SYNC only another writer's data can still be delayed */
	if (x->fe_flags & FIEMAP_EXTENT_DELALLOC)
		return end;
	past = overlap(x->fe_logical, end, eof, ~0ULL);
	if (x->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
		out->unwritten += past;
	else
		out->written += past;
	if (own->unwritten || !(x->fe_flags & FIEMAP_EXTENT_UNWRITTEN))
		out->own += overlap(x->fe_logical, end, own->from, own->to);
	return end;
}

static int walk(int fd, __u64 eof, const struct own_range *own, struct e4d_past_eof *out)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + CHUNK * sizeof(struct fiemap_extent)];
	} u;
	__u64 at = eof;

	for (unsigned int i = 0; i < MAX_CHUNKS; i++) {
		const struct fiemap_extent *x = u.map.fm_extents;
		__u32 n;

		memset(&u, 0, sizeof(u));
		u.map.fm_start = at;
		u.map.fm_length = FIEMAP_MAX_OFFSET - at;
		u.map.fm_flags = i ? 0 : FIEMAP_FLAG_SYNC;
		u.map.fm_extent_count = CHUNK;
		if (ioctl(fd, FS_IOC_FIEMAP, &u.map))
			return -errno;
		n = u.map.fm_mapped_extents;
		if (!n)
			return 0;
		for (__u32 j = 0; j < n && j < CHUNK; j++) {
			__u64 end = add_extent(&x[j], eof, own, out);

			if (end <= at) /* no progress: do not loop */
				return -EUCLEAN;
			at = end;
			if (x[j].fe_flags & FIEMAP_EXTENT_LAST)
				return 0;
		}
	}
	return -EFBIG;
}

static unsigned int block_bits(const struct stat *st, unsigned int blkbits)
{
	if (blkbits >= 9 && blkbits <= 16)
		return blkbits;
	if (st->st_blksize < 512)
		return 12;
	return 31 - (unsigned int)__builtin_clz((unsigned int)st->st_blksize);
}

int e4d_confirm_fd(int fd, unsigned int blkbits, __u64 own_from, __u64 own_to, int own_unwritten,
                   struct e4d_past_eof *out)
{
	struct own_range own = {own_from, own_to, own_unwritten};
	struct e4d_past_eof sum = {0};
	struct stat st, after;
	int err;

	if (fstat(fd, &st))
		return -errno;
	err = walk(fd, e4d_up((__u64)st.st_size, (__u8)block_bits(&st, blkbits)), &own, &sum);
	if (err)
		return err;
	if (fstat(fd, &after))
		return -errno;
	if (after.st_size != st.st_size)
		return -ESTALE;
	*out = sum;
	return 0;
}

/* Is the O_PATH descriptor fd the record's regular file? */
static int check_file(int fd, const struct e4d_record *rec)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_ino != rec->ino ||
	    (major(st.st_dev) << 20 | minor(st.st_dev)) != rec->dev)
		return -ESTALE;
	return 0;
}

/* And unchanged in size? */
static int check(int fd, const struct e4d_record *rec)
{
	struct stat st;
	int err = check_file(fd, rec);

	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err && (__u64)st.st_size != rec->isize_after)
		err = -ESTALE;
	return err;
}

/* A freed inode number may be in use again: the generation tells. */
static int check_generation(int fd, const struct e4d_record *rec)
{
	__u32 gen[2] = {0, 0}; /* some file systems write a long */

	if (!rec->gen || ioctl(fd, FS_IOC_GETVERSION, gen))
		return 0;
	return gen[0] == rec->gen ? 0 : -ESTALE;
}

/*
 * Opens name for reading only after it was seen, without opening, to be the
 * record's file: a fifo or a device in its place is never opened.
 */
static int open_checked(const char *name, int flags, const struct e4d_record *rec)
{
	int path_fd, fd, err;
	char self[40];

	path_fd = open(name, O_PATH | O_CLOEXEC | flags);
	if (path_fd < 0)
		return errno == ELOOP || errno == ENOTDIR ? -ENOENT : -errno;
	err = check_file(path_fd, rec);
	if (err) {
		close(path_fd);
		return err;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	err = fd < 0 ? -errno : check_generation(fd, rec);
	close(path_fd);
	if (fd >= 0 && err)
		close(fd);
	return err ? err : fd;
}

/* For a writer that has gone, and a file whose name is not known. */
static int open_handle(const struct e4d_record *rec)
{
	int fd = e4d_handle_open(rec, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	return fd < 0 && fd != -ESTALE ? -ENOENT : fd;
}

int e4d_confirm_open(const struct e4d_record *rec, const char *path)
{
	int n = e4d_path_find_fd(rec->pid, rec->dev, rec->ino), fd = -ENOENT;
	char name[48];

	if (n >= 0) {
		snprintf(name, sizeof(name), "/proc/%u/fd/%d", rec->pid, n);
		fd = open_checked(name, 0, rec);
	}
	if (fd < 0 && path && path[0] == '/') {
		int by_path = open_checked(path, O_NOFOLLOW, rec);

		/* that the file has changed says more than that a name has gone */
		if (by_path >= 0 || fd != -ESTALE)
			fd = by_path;
	}
	return fd < 0 && fd != -ESTALE ? open_handle(rec) : fd;
}

int e4d_confirm(struct e4d_record *rec, const char *path, __u64 *past_eof)
{
	__u64 from = e4d_up(rec->isize_after, rec->blkbits);
	struct e4d_past_eof disk;
	bool left, expected;
	int fd, err;

	fd = e4d_confirm_open(rec, path);
	if (fd < 0)
		return fd;
	err = check(fd, rec);
	if (!err)
		err = e4d_confirm_fd(fd, rec->blkbits, from, rec->alloc_end, !rec->prealloc, &disk);
	if (!err)
		err = check(fd, rec);
	close(fd);
	if (err)
		return err;
	*past_eof = disk.written;
	if (rec->verdict == E4D_UNKNOWN)
		return 0;
	left = disk.own > 0;
	expected = rec->verdict == E4D_LEAK || rec->verdict == E4D_TRIM_FAILED;
	rec->evidence = left == expected ? E4D_CONFIRMED : E4D_REFUTED;
	return 0;
}
