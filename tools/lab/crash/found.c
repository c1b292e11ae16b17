/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* After the crash: what the disk holds past the end of each file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hold.h"

/*
 * Unwritten blocks within the case's fallocate were there before; all else
 * past the block that holds EOF is the write's.
 */
static int one_file(const char *disk, const char *run, const char *path, const char *file)
{
	const struct hold_case *c = hold_find(file);
	uint64_t keep = c ? c->keepsize : 0, past = 0, written = 0, prealloc = 0, end = 0, eof;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err;
	struct wl_map map;
	struct stat st;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : wl_map_read(fd, &map);
	close(fd);
	if (err)
		return err;
	eof = (st.st_size + st.st_blksize - 1) / st.st_blksize * st.st_blksize;
	for (size_t i = 0; i < map.count; i++) {
		const struct wl_extent *e = &map.ext[i];
		uint64_t from = e->start < eof ? eof : e->start;
		uint64_t before = e->unwritten && from < keep ? keep : from;

		if (e->end <= from)
			continue;
		if (before > e->end)
			before = e->end;
		prealloc += before - from;
		past += e->end - before;
		written += e->unwritten ? 0 : e->end - from;
		if (e->end > before)
			end = e->end;
	}
	wl_map_free(&map);
	dprintf(STDOUT_FILENO,
	        "{\"crash\":\"found\",\"disk\":\"%s\",\"run\":\"%s\",\"file\":\"%s\",\"ino\":%llu,"
	        "\"isize\":%llu,\"past_eof\":%llu,\"end\":%llu,\"written\":%llu,\"prealloc\":%llu}"
	        "\n",
	        disk, run, file, (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
	        (unsigned long long)past, (unsigned long long)end, (unsigned long long)written,
	        (unsigned long long)prealloc);
	return 0;
}

static int one_run(const char *disk, const char *dir, const char *run)
{
	char path[WL_PAGE / 4], sub[WL_PAGE / 8];
	const struct dirent *de;
	int err = 0;
	DIR *d;

	snprintf(sub, sizeof(sub), "%s/%s", dir, run);
	d = opendir(sub);
	if (!d)
		return -errno;
	while (!err && (de = readdir(d))) {
		if (de->d_type == DT_DIR)
			continue;
		snprintf(path, sizeof(path), "%s/%s", sub, de->d_name);
		err = one_file(disk, run, path, de->d_name);
	}
	closedir(d);
	return err;
}

int hold_found(char **dirs, int count)
{
	static const char *const runs[] = {"twin", "held", "loop"};
	int err;

	for (int i = 0; i < count; i++) {
		const char *slash = strrchr(dirs[i], '/');
		const char *disk = slash ? slash + 1 : dirs[i];

		for (size_t r = 0; r < sizeof(runs) / sizeof(runs[0]); r++) {
			err = one_run(disk, dirs[i], runs[r]);
			if (err && err != -ENOENT) {
				fprintf(stderr, "holdwrite: %s/%s: %s\n", dirs[i], runs[r],
				        strerror(-err));
				return HOLD_CORRUPT;
			}
		}
	}
	return HOLD_OK;
}
