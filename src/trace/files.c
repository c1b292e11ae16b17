/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The dump's directory and the stream files in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/internal.h"

DIR *e4d_dump_list(const struct e4d_dump *d)
{
	int fd = openat(d->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list && fd >= 0) {
		err = errno;
		close(fd);
		errno = err;
	}
	return list;
}

/* 0, -ENOTEMPTY, or negative errno. */
static int is_empty(const struct e4d_dump *d)
{
	DIR *list = e4d_dump_list(d);
	struct dirent *de;
	int err = 0;

	if (!list)
		return -errno;
	while (!err && (de = readdir(list)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			err = -ENOTEMPTY;
	closedir(list);
	return err;
}

static void explain(int err, const char *path, char *why, size_t why_len)
{
	static const struct {
		int err;
		const char *text;
	} table[] = {
		{-ENOTEMPTY, "is not empty, and nothing is overwritten: name a new directory"},
		{-ELOOP, "is a symbolic link: name the directory itself"},
		{-ENOTDIR, "is not a directory, or a symbolic link: name a new directory"},
		{-ENOENT, "cannot be made: the directory above it is not there; make that first"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].err == err) {
			snprintf(why, why_len, "%s %s", path, table[i].text);
			return;
		}
	snprintf(why, why_len, "%s: %s; name a directory that can be written to", path,
	         strerror(-err));
}

int e4d_dump_create(struct e4d_dump *d, const char *path, char *why, size_t why_len)
{
	size_t len = strlen(path);
	char *name = strdup(path);
	int err = 0;

	memset(d, 0, sizeof(*d));
	d->dir = -1;
	if (!name)
		return -ENOMEM;
	while (len > 1 && name[len - 1] == '/') /* or O_NOFOLLOW would follow */
		name[--len] = 0;
	d->made = !mkdir(name, 0700);
	if (!d->made && errno != EEXIST)
		err = -errno;
	if (!err) {
		d->dir = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = d->dir < 0 ? -errno : is_empty(d);
	}
	free(name);
	if (err)
		explain(err, path, why, why_len);
	return err == -ENOTEMPTY ? -EEXIST : err;
}

int e4d_dump_new(const struct e4d_dump *d, const char *name)
{
	int fd = openat(d->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static void name_file(const struct e4d_dump *d, const struct e4d_stream *s,
                      char name[E4D_TRACE_NAME])
{
	if (s->instance == E4D_STREAM_SESSION)
		snprintf(name, E4D_TRACE_NAME, "session-%06u", d->rotation);
	else
		snprintf(name, E4D_TRACE_NAME, "cpu%u-%06u", (unsigned int)s->instance,
		         d->rotation);
}

static int open_stream(struct e4d_dump *d, struct e4d_stream *s)
{
	char name[E4D_TRACE_NAME];

	name_file(d, s, name);
	s->size = 0;
	s->fd = e4d_dump_new(d, name);
	return s->fd < 0 ? s->fd : 0;
}

int e4d_dump_append(struct e4d_dump *d, struct e4d_stream *s, const void *packet, size_t size)
{
	int err = s->fd < 0 ? open_stream(d, s) : 0;
	size_t done = 0;

	/* more than one pwrite() only where the disk is full or a limit was met: the next says
	 * which */
	while (!err && done < size) {
		ssize_t n = pwrite(s->fd, (const char *)packet + done, size - done,
		                   s->size + (off_t)done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			err = n ? -errno : -ENOSPC;
	}
	if (!err) {
		s->size += (off_t)size;
		e4d_dump_count(d, size);
		d->current += size;
	} else if (s->fd >= 0 && ftruncate(s->fd, s->size)) {
		err = -errno;
	}
	return err;
}

bool e4d_dump_end_file(const struct e4d_dump *d, struct e4d_stream *s, char name[E4D_TRACE_NAME])
{
	if (s->fd < 0)
		return false;
	close(s->fd);
	s->fd = -1;
	name_file(d, s, name);
	return true;
}

void e4d_dump_remove(struct e4d_dump *d, const char *name)
{
	struct stat st;

	if (!fstatat(d->dir, name, &st, AT_SYMLINK_NOFOLLOW) && !unlinkat(d->dir, name, 0))
		__atomic_fetch_sub(&d->bytes, (uint64_t)st.st_size, __ATOMIC_RELAXED);
}

void e4d_dump_undo(struct e4d_dump *d, const char *path)
{
	DIR *list = e4d_dump_list(d);
	struct dirent *de;

	while (list && (de = readdir(list)))
		e4d_dump_remove(d, de->d_name); /* files only */
	if (list)
		closedir(list);
	if (d->made)
		rmdir(path);
}

void e4d_dump_close(struct e4d_dump *d)
{
	if (d->dir >= 0)
		close(d->dir);
	d->dir = -1;
}
