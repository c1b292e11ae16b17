/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The other fields of a record, and lost data. */
#include <errno.h>

#include "score.h"

static bool observed(const struct sc_rec *r)
{
	return r->evidence == E4D_OBSERVED && r->verdict != E4D_UNKNOWN;
}

static void differ(struct sc_result *res, const struct sc_rec *r, const char *field, int64_t want,
                   int64_t got)
{
	sc_say(res, SC_MISMATCH, "expected %s %lld, got %lld (record %llu)", field, (long long)want,
	       (long long)got, (unsigned long long)r->seq);
}

/*
 * Workers of io_uring take writes in any order: of two at the same place, which
 * record is whose? If crossing them fits, it was that way.
 */
static bool crossed(const struct sc_episode *e, struct sc_write *w)
{
	for (size_t k = 0; k < e->writes; k++) {
		struct sc_write *o = &e->write[k];
		int64_t last = w->last;

		if (o == w || !w->uring || !o->uring || o->pid != w->pid ||
		    o->offset != w->offset || o->submitted != w->submitted || w->records != 1 ||
		    o->records != 1 || o->last != w->ret)
			continue;
		w->last = o->last;
		o->last = last;
		return true;
	}
	return false;
}

/* What a write returned: also in a batch or a group. */
static void check_ret(const struct sc_episode *e, struct sc_write *w, struct sc_result *res)
{
	if (!w->has_ret || !w->records || !w->all_ret)
		return;
	for (size_t i = 0; i < e->records; i++)
		if (e->rec[i].write == w - e->write && !observed(&e->rec[i]))
			return;
	if (w->last == w->ret || (w->records > 1 && w->got == w->ret) || crossed(e, w))
		return;
	differ(res, &e->rec[w->first], "ret", w->ret, w->records == 1 ? w->last : w->got);
}

/*
 * Foreign blocks past EOF. The tracer may know less (0), never more: a number
 * is that of all extents, but for those before the blocks that leaked.
 */
static void check_prealloc(const struct sc_episode *e, const struct sc_rec *r,
                           struct sc_result *res)
{
	if (!r->prealloc ||
	    (sc_is_leak(r) ? r->prealloc <= e->prealloc : r->prealloc == e->prealloc))
		return;
	differ(res, r, "prealloc", (int64_t)e->prealloc, (int64_t)r->prealloc);
}

static void check_size_moved(const struct sc_episode *e, const struct sc_write *w,
                             const struct sc_rec *r, struct sc_result *res)
{
	bool got = r->flags & E4D_F_SIZE_MOVED, want;

	if (!w->has_ret || !r->has_ret)
		return;
	want = w->ret <= 0 && e->isize_after > e->isize_before;
	if (got != want)
		sc_say(res, SC_MISMATCH, "expected the flag size-moved %s (record %llu)",
		       want ? "there" : "absent", (unsigned long long)r->seq);
}

/*
 * One write, and one record of it: everything must be the same. Offset and
 * length are: else the record were none of this write.
 */
static void check_single(const struct sc_episode *e, struct sc_result *res)
{
	const struct sc_write *w = &e->write[0];
	const struct sc_rec *r = &e->rec[w->first];

	if (!observed(r))
		return;
	if (r->isize_before != e->isize_before)
		differ(res, r, "isize_before", (int64_t)e->isize_before, (int64_t)r->isize_before);
	if (r->isize_after != e->isize_after)
		differ(res, r, "isize_after", (int64_t)e->isize_after, (int64_t)r->isize_after);
	check_prealloc(e, r, res);
	check_size_moved(e, w, r, res);
}

void sc_check_fields(const struct sc_episode *e, struct sc_result *res)
{
	if (e->lost_writes)
		return;
	for (size_t k = 0; k < e->writes; k++)
		check_ret(e, &e->write[k], res);
	if (e->steps.count == 1 && e->writes == 1 && e->write[0].records == 1)
		check_single(e, res);
}

/* Bytes of this or an older write that are in no block any more, or past EOF. */
static bool data_lost(const struct sc_episode *e)
{
	const struct sc_write *w = &e->write[0];

	if (e->lost || e->cut)
		return true;
	return e->data_bad && e->writes == 1 && w->has_ret && w->ret > 0 &&
	       e->isize_after < w->offset + (uint64_t)w->ret;
}

/* i_size past what is mapped: of nothing lost here, it may have been so before. */
static void check_overtrim(const struct sc_episode *e, struct sc_result *res)
{
	/* of several writes a later one may have allocated the block anew */
	if (e->eof_hole || e->writes > 1)
		sc_set(res, SC_OVERTRIM_UNCHECKED);
	else
		sc_say(res, SC_OVERTRIM_FALSE, "expected no overtrim: blocks go up to EOF");
}

/* Where a step takes blocks away on purpose, nobody looks for lost ones. */
void sc_check_data(const struct sc_episode *e, struct sc_result *res)
{
	bool overtrim = false, async = false, unknown = false;

	if (e->actors != 1 || e->steps.truncate || e->steps.punch || e->steps.collapse)
		return;
	for (size_t i = 0; i < e->records; i++) {
		overtrim |= !!(e->rec[i].flags & E4D_F_OVERTRIM);
		async |= !!(e->rec[i].flags & E4D_F_ASYNC_EXTEND);
		unknown |= e->rec[i].verdict == E4D_UNKNOWN;
	}
	/* what was cut may have been allocated anew: mapped, with other bytes */
	if (data_lost(e) || (e->data_bad && overtrim)) {
		if (overtrim || async)
			sc_set(res, SC_LOST_DATA_HITS);
		else if (!unknown && !e->lost_writes)
			sc_say(res, SC_LOST_DATA_MISSES,
			       "expected overtrim or async-extend: data were lost");
		return;
	}
	if (overtrim)
		check_overtrim(e, res);
	if (e->data_bad)
		sc_say(res, SC_CORRUPT_DATA, "all of it is mapped, but other bytes are read back");
}
