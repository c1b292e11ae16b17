/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The disk's own truth: FIEMAP before and after, compared range by range, and
 * a read-back of what the write reported as written (and of nothing else).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fiemap.h>
#include <linux/fs.h>

#include "workload/workload.h"

#define FIEMAP_BATCH 256

static int map_add(struct wl_map *map, const struct fiemap_extent *fe)
{
	struct wl_extent *e;

	if (map->count == map->room) {
		size_t room = map->room ? map->room * 2 : 64;

		e = realloc(map->ext, room * sizeof(*e));
		if (!e)
			return -ENOMEM;
		map->ext = e;
		map->room = room;
	}
	e = &map->ext[map->count++];
	e->start = fe->fe_logical;
	e->end = fe->fe_logical + fe->fe_length;
	e->phys = fe->fe_physical;
	e->unwritten = fe->fe_flags & FIEMAP_EXTENT_UNWRITTEN;
	e->delalloc = fe->fe_flags & FIEMAP_EXTENT_DELALLOC;
	return 0;
}

/* Reads all extents of the file, those past EOF too. Returns 0 or -errno. */
int wl_map_read(int fd, struct wl_map *map)
{
	size_t bytes = sizeof(struct fiemap) + FIEMAP_BATCH * sizeof(struct fiemap_extent);
	struct fiemap *fm = malloc(bytes);
	uint64_t start = 0;
	bool last = false;
	int err = 0;

	memset(map, 0, sizeof(*map));
	if (!fm)
		return -ENOMEM;
	while (!last && !err) {
		memset(fm, 0, bytes);
		fm->fm_start = start;
		fm->fm_length = FIEMAP_MAX_OFFSET - start;
		fm->fm_flags = FIEMAP_FLAG_SYNC;
		fm->fm_extent_count = FIEMAP_BATCH;
		if (ioctl(fd, FS_IOC_FIEMAP, fm)) {
			err = -errno;
			break;
		}
		if (!fm->fm_mapped_extents)
			break;
		for (uint32_t i = 0; i < fm->fm_mapped_extents && !err; i++) {
			const struct fiemap_extent *fe = &fm->fm_extents[i];

			err = map_add(map, fe);
			start = fe->fe_logical + fe->fe_length;
			last = fe->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
	free(fm);
	if (err)
		wl_map_free(map);
	return err;
}

void wl_map_free(struct wl_map *map)
{
	free(map->ext);
	memset(map, 0, sizeof(*map));
}

/*
 * Finds what lay at `pos` before. *end is cut to the end of the stretch for
 * which the answer holds.
 */
static const struct wl_extent *map_at(const struct wl_map *map, uint64_t pos, uint64_t *end)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct wl_extent *e = &map->ext[i];

		if (pos < e->start) {
			if (e->start < *end)
				*end = e->start;
			return NULL;
		}
		if (pos < e->end) {
			if (e->end < *end)
				*end = e->end;
			return e;
		}
	}
	return NULL;
}

/*
 * The same block in the same state was there before: preallocation. All else
 * past `eof` is this write's: a new block, or an unwritten one made written.
 * A delayed allocation that the flush did not turn into blocks (it flushes up
 * to EOF only) is a reservation in memory, not a block: counted apart.
 */
void wl_map_compare(const struct wl_map *before, const struct wl_map *after, uint64_t eof,
                    struct wl_truth *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < after->count; i++) {
		const struct wl_extent *a = &after->ext[i];
		uint64_t pos = a->start < eof ? eof : a->start;

		if (a->delalloc) {
			out->delalloc += a->end - a->start;
			continue;
		}
		out->allocated += a->end - a->start;
		while (pos < a->end) {
			uint64_t end = a->end;
			const struct wl_extent *b = map_at(before, pos, &end);

			if (b && b->unwritten == a->unwritten &&
			    b->phys + (pos - b->start) == a->phys + (pos - a->start)) {
				out->prealloc += end - pos;
			} else {
				out->past_eof += end - pos;
				if (a->unwritten)
					out->past_eof_unwritten += end - pos;
			}
			pos = end;
		}
	}
}

static bool chunk_ok(const unsigned char *buf, uint64_t len, uint64_t off,
                     const struct wl_result *res)
{
	uint64_t end = off + len;
	uint64_t from = res->opaque_from < off ? off : res->opaque_from;
	uint64_t to = res->opaque_to > end ? end : res->opaque_to;

	if (from >= to)
		return wl_matches(buf, len, off, WL_SEED_DIRECT);
	return wl_matches(buf, from - off, off, WL_SEED_DIRECT) &&
	       wl_matches(buf + (to - off), end - to, to, WL_SEED_DIRECT);
}

/* Compares only [offset, offset + ret): never looks at a block past that. */
int wl_data_ok(int fd, const struct wl_result *res, bool *ok)
{
	static unsigned char buf[64 * WL_KIB];
	uint64_t done = 0;

	*ok = true;
	while (done < (uint64_t)res->ret && *ok) {
		uint64_t want = res->ret - done;
		ssize_t n;

		if (want > sizeof(buf))
			want = sizeof(buf);
		n = pread(fd, buf, want, res->offset + done);
		if (n < 0)
			return -errno;
		if (n == 0)
			*ok = false;
		else
			*ok = chunk_ok(buf, n, res->offset + done, res);
		done += n;
	}
	return 0;
}
