/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * One line for each episode; `falloc` and `rets` are beside what the judge
 * needs: unwritten blocks that a falloc of this episode put past EOF, which are
 * no write's and not in past_eof, and what each step returned (a write of several: the first).
 * {"seed":"0x1f","step":1,"steps":"write via=pwrite off=0 len=1M fail=7680","actors":1,
 *  "dev":"7:0","ino":13,"t0_ns":81234567,"t1_ns":81634567,"isize_before":0,
 *  "isize_after":7680,"blksize":4096,"past_eof":1040384,"past_eof_unwritten":0,
 *  "prealloc":0,"delalloc":0,"falloc":0,"lost":0,"cut":0,"eof_hole":0,
 *  "data_ok":null,"killed":false,"removers":false,"rets":[-14],"writes":[{"pid":811,"tid":811,
 *  "via":"pwrite","offset":0,"submitted":1048576,"ret":-14,"nowait":false,"append":false,
 *  "misaligned":false}]}
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "truth.h"

static uint64_t up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/*
 * FIEMAP's flush reports a failure of the writeback that page cache steps
 * caused (no space); the second time it is just the map.
 */
static int read_map(int fd, struct wl_map *map)
{
	int err = wl_map_read(fd, map);

	if (err == -ENOSPC || err == -EIO || err == -EINTR)
		err = wl_map_read(fd, map);
	return err;
}

static int map_push(struct wl_map *map, struct wl_extent e)
{
	if (map->count == map->room) {
		size_t room = map->room ? map->room * 2 : 16;
		struct wl_extent *ext = realloc(map->ext, room * sizeof(*ext));

		if (!ext)
			return -ENOMEM;
		map->ext = ext;
		map->room = room;
	}
	map->ext[map->count++] = e;
	return 0;
}

/* [from, to) of the extent, moved down by `shift`. */
static int push_part(struct wl_map *map, const struct wl_extent *e, uint64_t from, uint64_t to,
                     uint64_t shift)
{
	struct wl_extent part = *e;

	if (from < e->start)
		from = e->start;
	if (to > e->end)
		to = e->end;
	if (from >= to)
		return 0;
	part.phys += from - e->start;
	part.start = from - shift;
	part.end = to - shift;
	return map_push(map, part);
}

/* A collapse moves the blocks behind it: they are still the ones from before. */
static int map_collapse(struct wl_map *map, uint64_t off, uint64_t len)
{
	struct wl_map out = {0};
	int err = 0;

	for (size_t i = 0; i < map->count && !err; i++) {
		err = push_part(&out, &map->ext[i], 0, off, 0);
		if (!err)
			err = push_part(&out, &map->ext[i], off + len, UINT64_MAX, len);
	}
	wl_map_free(map);
	*map = out;
	return err;
}

static int collapse_before(struct wl_map *before, const struct rw_episode *e)
{
	int err = 0;

	for (size_t i = 0; i < e->count && !err; i++)
		if (e->steps[i].verb == RW_COLLAPSE && e->results[i]->done && !e->results[i]->ret)
			err = map_collapse(before, e->results[i]->off, e->steps[i].len);
	return err;
}

/* How far down the episode's collapses moved what lies behind them. */
static uint64_t collapsed(const struct rw_episode *e)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < e->count; i++)
		if (e->steps[i].verb == RW_COLLAPSE && e->results[i]->done && !e->results[i]->ret)
			sum += e->steps[i].len;
	return sum;
}

/*
 * The first byte at or after `pos` that a falloc of the episode covers, and the
 * end of it: where it put its blocks, or where a collapse moved them then.
 */
static bool next_falloc(const struct rw_episode *e, uint64_t pos, uint64_t *from, uint64_t *to)
{
	uint64_t moved = collapsed(e);
	bool any = false;

	for (size_t i = 0; i < e->count; i++) {
		uint64_t start = e->results[i]->off, end = start + e->steps[i].len;

		if (e->steps[i].verb != RW_FALLOC || !e->results[i]->done || end <= pos)
			continue;
		start = start > moved ? start - moved : 0;
		if (start < pos)
			start = pos;
		if (!any || start < *from) {
			*from = start;
			*to = end;
		}
		any = true;
	}
	return any;
}

/* Unwritten blocks past EOF that are not from before, where a falloc went. */
static int count_falloc(const struct wl_map *before, const struct wl_map *after, uint64_t eof,
                        uint64_t blksize, const struct rw_episode *e, struct rw_truth *t)
{
	struct wl_map part = {0};
	struct wl_truth tr;
	int err = 0;

	for (size_t i = 0; i < after->count && !err; i++) {
		const struct wl_extent *x = &after->ext[i];
		uint64_t pos = x->start, from = 0, to = 0;

		while (x->unwritten && pos < x->end && !err && next_falloc(e, pos, &from, &to)) {
			from -= from % blksize;
			pos = up(to, blksize);
			err = push_part(&part, x, from, pos, 0);
		}
	}
	wl_map_compare(before, &part, eof, &tr);
	t->falloc = tr.past_eof;
	t->disk.past_eof -= tr.past_eof;
	t->disk.past_eof_unwritten -= tr.past_eof_unwritten;
	wl_map_free(&part);
	return err;
}

static bool has_verb(const struct rw_episode *e, enum rw_verb verb)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->steps[i].verb == verb)
			return true;
	return false;
}

/* Took blocks away, or may have: refused before it began counts as not. */
static bool took_blocks(const struct rw_step *s, const struct rw_result *r)
{
	if (s->verb != RW_TRUNCATE && s->verb != RW_PUNCH && s->verb != RW_COLLAPSE)
		return false;
	return !r->done || (r->ret != -EINVAL && r->ret != -EOPNOTSUPP);
}

static bool short_write(const struct rw_write *w)
{
	return !w->skipped && !w->canceled &&
	       (!w->done || w->ret < 0 || (uint64_t)w->ret < w->submitted);
}

/* In an episode of several things, whether one may have cut what another left. */
static bool find_removers(const struct rw_episode *e)
{
	size_t things = e->count;

	for (size_t i = 0; i < e->nwrites; i++)
		things += !e->writes[i]->canceled && !e->writes[i]->skipped;
	if (things < 3) /* a step and its write, or two steps without any */
		return false;
	for (size_t i = 0; i < e->count; i++)
		if (took_blocks(&e->steps[i], e->results[i]))
			return true;
	for (size_t i = 0; i < e->nwrites; i++)
		if (short_write(e->writes[i]))
			return true;
	return false;
}

/* Where several appends went is not known: the order among them is not. */
static bool offsets_known(const struct rw_episode *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->steps[i].verb == RW_WRITE && (e->steps[i].flags & RW_APPEND) &&
		    e->nwrites > 1)
			return false;
	return e->actors == 1;
}

/* Bytes of [from, to) in holes. */
static uint64_t holes(const struct wl_map *map, uint64_t from, uint64_t to)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < map->count && from < to; i++) {
		const struct wl_extent *x = &map->ext[i];

		if (x->end <= from)
			continue;
		if (x->start > from)
			sum += (x->start < to ? x->start : to) - from;
		from = x->end;
	}
	return from < to ? sum + (to - from) : sum;
}

static uint64_t count_lost(const struct wl_map *after, const struct rw_episode *e)
{
	uint64_t sum = 0;

	if (!offsets_known(e) || has_verb(e, RW_TRUNCATE) || has_verb(e, RW_PUNCH) ||
	    has_verb(e, RW_COLLAPSE))
		return 0;
	for (size_t i = 0; i < e->nwrites; i++) {
		const struct rw_write *w = e->writes[i];
		uint64_t end = w->offset;

		if (!w->done || w->ret <= 0)
			continue;
		end += (uint64_t)w->ret;
		sum += holes(after, w->offset, end < e->isize_after ? end : e->isize_after);
	}
	return sum;
}

/*
 * A write that moves EOF, even if it fails, has blocks from its offset to EOF:
 * a hole there was cut. Of several writes nobody could say.
 */
static uint64_t count_own_cut(const struct wl_map *after, const struct rw_episode *e)
{
	const struct rw_write *w = e->nwrites ? e->writes[0] : NULL;
	uint64_t from, end;

	if (e->count != 1 || e->nwrites != 1 || !offsets_known(e))
		return 0;
	from = w->offset > e->isize_before ? w->offset : e->isize_before;
	end = w->offset + w->submitted;
	return holes(after, from, end < e->isize_after ? end : e->isize_after);
}

/* From the end of the last block below EOF to EOF. */
static uint64_t count_eof_hole(const struct wl_map *after, uint64_t isize)
{
	uint64_t end = 0;

	for (size_t i = 0; i < after->count && after->ext[i].start < isize; i++)
		end = after->ext[i].end;
	return end < isize ? isize - end : 0;
}

/* Bytes below EOF that were in blocks before, and that no step took away. */
static uint64_t count_cut(const struct wl_map *before, const struct wl_map *after,
                          const struct rw_episode *e)
{
	uint64_t eof = e->isize_before < e->isize_after ? e->isize_before : e->isize_after;
	uint64_t sum = count_own_cut(after, e);

	if (has_verb(e, RW_TRUNCATE) || has_verb(e, RW_PUNCH) || has_verb(e, RW_COLLAPSE))
		return 0;
	for (size_t i = 0; i < before->count; i++) {
		const struct wl_extent *x = &before->ext[i];

		if (x->start < eof && !x->delalloc)
			sum += holes(after, x->start, x->end < eof ? x->end : eof);
	}
	return sum;
}

static bool chunk_ok(const uint8_t *buf, uint64_t off, uint64_t end, const struct rw_log *log)
{
	uint64_t from = log->opaque_from < off ? off : log->opaque_from;
	uint64_t to = log->opaque_to > end ? end : log->opaque_to;

	if (from >= to)
		return wl_matches(buf, end - off, off, log->seed);
	return wl_matches(buf, from - off, off, log->seed) &&
	       wl_matches(buf + (to - off), end - to, to, log->seed);
}

/* Compares [off, end) with the pattern; reads directly, the page cache stays as it is. */
static const char *read_back(int fd, uint64_t off, uint64_t end, const struct rw_log *log)
{
	static uint8_t buf[256 * 1024] __attribute__((aligned(4096)));

	while (off < end) {
		uint64_t base = off / RW_SECTOR * RW_SECTOR, to = base + sizeof(buf);
		ssize_t n;

		if (to > up(end, RW_SECTOR))
			to = up(end, RW_SECTOR);
		n = pread(fd, buf, to - base, (off_t)base);
		if (n < 0)
			return "null";
		if (to > end)
			to = end;
		if (base + (uint64_t)n < to || !chunk_ok(buf + (off - base), off, to, log))
			return "false";
		off = to;
	}
	return "true";
}

/* A plain step of writes, each of which took something: does the file hold it? */
static const char *data_ok(const struct rw_file *file, const struct rw_episode *e)
{
	const char *ok = "null";

	if (e->count != 1 || !e->log || e->steps[0].signal != RW_NONE || !offsets_known(e))
		return ok;
	for (size_t i = 0; i < e->nwrites; i++) {
		const struct rw_write *w = e->writes[i];

		if (!w->done || w->ret <= 0)
			continue;
		ok = read_back(file->direct, w->offset, w->offset + (uint64_t)w->ret, e->log);
		if (strcmp(ok, "true"))
			break;
	}
	return ok;
}

int rw_truth_take(struct rw_file *file, struct rw_episode *e, struct rw_truth *out)
{
	struct wl_map after;
	struct stat st;
	uint64_t eof;
	int err = read_map(file->fd, &after);

	memset(out, 0, sizeof(*out));
	if (err)
		return err;
	err = fstat(file->fd, &st) ? -errno : collapse_before(&file->before, e);
	if (err)
		goto out;
	e->isize_after = (uint64_t)st.st_size;
	eof = up(e->isize_after, file->blksize);
	wl_map_compare(&file->before, &after, eof, &out->disk);
	if (has_verb(e, RW_FALLOC))
		err = count_falloc(&file->before, &after, eof, file->blksize, e, out);
	out->lost = count_lost(&after, e);
	out->cut = count_cut(&file->before, &after, e);
	out->eof_hole = count_eof_hole(&after, e->isize_after);
	out->removers = find_removers(e);
	for (size_t i = 0; i < e->nwrites; i++)
		out->killed |= !e->writes[i]->done && !e->writes[i]->skipped;
	out->data_ok = data_ok(file, e);
out:
	wl_map_free(&file->before);
	file->before = after;
	return err;
}

static const char *word(bool b)
{
	return b ? "true" : "false";
}

static void print_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, to);
	}
}

static void print_ret(FILE *to, bool known, int64_t ret)
{
	if (known)
		fprintf(to, "%" PRId64, ret);
	else
		fputs("null", to);
}

static void print_writes(FILE *to, const struct rw_episode *e)
{
	bool comma = false;

	fputs("\"writes\":[", to);
	for (size_t i = 0; i < e->nwrites; i++) {
		const struct rw_write *w = e->writes[i];

		if (w->canceled)
			continue;
		fprintf(to, "%s{\"pid\":%d,\"tid\":%d,\"via\":\"%s\",\"offset\":%" PRIu64,
		        comma ? "," : "", (int)w->pid, (int)w->tid, rw_vias[w->via].name,
		        w->offset);
		fprintf(to, ",\"submitted\":%" PRIu64 ",\"ret\":", w->submitted);
		print_ret(to, w->done, w->ret);
		fprintf(to, ",\"nowait\":%s,\"append\":%s,\"misaligned\":%s%s}", word(w->nowait),
		        word(w->append), word(w->misaligned),
		        w->skipped ? ",\"skipped\":true" : "");
		comma = true;
	}
	fputc(']', to);
}

void rw_truth_print(FILE *to, const struct rw_file *file, const struct rw_episode *e,
                    const struct rw_truth *t)
{
	fputs("{\"seed\":\"", to);
	print_text(to, e->seed);
	fprintf(to, "\",\"step\":%zu,\"steps\":\"", e->number);
	for (size_t i = 0; i < e->count; i++) {
		fputs(i ? "; " : "", to);
		rw_step_print(to, &e->steps[i]);
	}
	fprintf(to, "\",\"actors\":%u,\"dev\":\"%s\",\"ino\":%" PRIu64, e->actors, file->dev,
	        file->ino);
	fprintf(to, ",\"t0_ns\":%" PRIu64 ",\"t1_ns\":%" PRIu64, e->t0_ns, e->t1_ns);
	fprintf(to, ",\"isize_before\":%" PRIu64 ",\"isize_after\":%" PRIu64, e->isize_before,
	        e->isize_after);
	fprintf(to, ",\"blksize\":%" PRIu64 ",\"past_eof\":%" PRIu64, file->blksize,
	        t->disk.past_eof);
	fprintf(to, ",\"past_eof_unwritten\":%" PRIu64 ",\"prealloc\":%" PRIu64,
	        t->disk.past_eof_unwritten, t->disk.prealloc);
	fprintf(to, ",\"delalloc\":%" PRIu64 ",\"falloc\":%" PRIu64 ",\"lost\":%" PRIu64,
	        t->disk.delalloc, t->falloc, t->lost);
	fprintf(to, ",\"cut\":%" PRIu64 ",\"eof_hole\":%" PRIu64, t->cut, t->eof_hole);
	fprintf(to, ",\"data_ok\":%s,\"killed\":%s,\"removers\":%s,\"rets\":[", t->data_ok,
	        word(t->killed), word(t->removers));
	for (size_t i = 0; i < e->count; i++) {
		fputs(i ? "," : "", to);
		print_ret(to, e->results[i]->done, e->results[i]->ret);
	}
	fputs("],", to);
	print_writes(to, e);
	fputs("}\n", to);
}
