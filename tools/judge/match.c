/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Finds the record of a case, and compares it with the disk. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "judge.h"

/* Equal integers, both there. A line that is no write record has no inode. */
static bool same_int(const json_t *a, const json_t *b, const char *key)
{
	bool have_a, have_b;
	long long x = jd_int(a, key, &have_a), y = jd_int(b, key, &have_b);

	return have_a && have_b && x == y;
}

/*
 * The last record by seq. A try with RWF_NOWAIT that gave -EAGAIN is followed
 * by the real write (io_uring does so), unless -EAGAIN is all there was.
 */
static const json_t *last_of(const json_t *truth, const struct jd_lines *trace, bool any_pid)
{
	bool again = jd_int(truth, "ret", NULL) == -EAGAIN;
	const json_t *best = NULL;

	for (size_t i = 0; i < trace->count; i++) {
		const json_t *r = trace->v[i];
		bool have;
		long long ret = jd_int(r, "ret", &have);

		if (!same_int(r, truth, "ino") || strcmp(jd_str(r, "dev"), jd_str(truth, "dev")))
			continue;
		if (!any_pid && !same_int(r, truth, "pid"))
			continue;
		if (have && ret == -EAGAIN && !again)
			continue;
		if (!best || jd_int(r, "seq", NULL) >= jd_int(best, "seq", NULL))
			best = r;
	}
	return best;
}

/* Before 5.12 io_uring's workers were kernel threads with pids of their own. */
const json_t *jd_match(const json_t *truth, const struct jd_lines *trace)
{
	const json_t *rec = last_of(truth, trace, false);

	if (!rec && json_is_true(json_object_get(truth, "worker")))
		rec = last_of(truth, trace, true);
	return rec;
}

__attribute__((format(printf, 3, 4))) static void fail(struct jd_row *row, enum jd_result result,
                                                       const char *fmt, ...)
{
	va_list ap;

	row->result = result;
	va_start(ap, fmt);
	vsnprintf(row->why, sizeof(row->why), fmt, ap);
	va_end(ap);
}

static bool is_leak(const char *verdict)
{
	return !strcmp(verdict, "leak") || !strcmp(verdict, "trim-failed");
}

/*
 * The tracepoint tier begins at iomap_dio_rw; a NOWAIT write that ext4 itself
 * turns away with -EAGAIN never gets there.
 */
static bool unseen(const struct jd_row *row, const struct jd_lines *trace)
{
	return jd_int(row->truth, "ret", NULL) == -EAGAIN && trace->count &&
	       !strcmp(jd_str(trace->v[0], "tier"), "tracepoint") &&
	       !jd_int(row->truth, "past_eof", NULL);
}

/* Sets row->result and row->why; row->truth and row->rec are given. */
void jd_compare(struct jd_row *row, const struct jd_lines *trace)
{
	long long disk = jd_int(row->truth, "past_eof", NULL);
	long long size = jd_int(row->truth, "isize_after", NULL);
	long long ret = jd_int(row->truth, "ret", NULL);
	long long prealloc = jd_int(row->truth, "prealloc", NULL);
	const char *want = disk ? "leak" : "no leak";
	bool have_past, have_size, have_ret;
	long long past, got_size, got_ret;
	const char *verdict;

	if (!row->rec && unseen(row, trace)) {
		fail(row, JD_UNSEEN, "-EAGAIN before the first tracepoint");
		return;
	}
	if (!row->rec) {
		fail(row, JD_LOST, "expected a record, got none");
		return;
	}
	verdict = jd_str(row->rec, "verdict");
	past = jd_int(row->rec, "past_eof", &have_past);
	got_size = jd_int(row->rec, "isize_after", &have_size);
	got_ret = jd_int(row->rec, "ret", &have_ret);
	if (!strcmp(verdict, "unknown"))
		fail(row, JD_UNKNOWN, "expected %s of %lld, got unknown", want, disk);
	else if (!verdict[0] || is_leak(verdict) != (disk > 0))
		fail(row, JD_WRONG, "expected %s of %lld, got %s", want, disk,
		     verdict[0] ? verdict : "no verdict");
	else if (!have_past || past != disk)
		fail(row, JD_WRONG, "expected past_eof %lld, got %lld", disk, past);
	else if (!have_size || got_size != size)
		fail(row, JD_WRONG, "expected isize_after %lld, got %lld", size, got_size);
	else if (jd_int(row->rec, "prealloc", NULL) != prealloc)
		fail(row, JD_WRONG, "expected prealloc %lld, got %lld", prealloc,
		     jd_int(row->rec, "prealloc", NULL));
	else if (have_ret && got_ret != ret)
		fail(row, JD_WRONG, "expected ret %lld, got %lld", ret, got_ret);
	else
		row->result = JD_OK;
}
