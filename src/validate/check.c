/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The invariants: what must hold after every case, on the disk and in the trace. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record/names.h"
#include "util/plural.h"
#include "validate/validate.h"

#define INLINE_EXTENTS 4 /* without a block of their own */

__attribute__((format(printf, 3, 4))) static bool fails(char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return false;
}

/* Bytes that are to be written: RLIMIT_FSIZE cuts them. */
static uint64_t asked(const struct e4d_vresult *r)
{
	const struct wl_case *w = &r->c->w;
	uint64_t end = r->res.offset + r->res.submitted;

	return w->fsize && end > w->fsize ? w->fsize - r->res.offset : r->res.submitted;
}

/* Is it about a full disk? Elsewhere somebody else has filled it. */
static bool about_space(const struct e4d_vcase *c)
{
	return c->w.setup == wl_setup_nearly_full || c->trouble == E4D_V_NOSPC;
}

/*
 * It failed for want of what others have taken: that is no word on the kernel. io_uring
 * cancels what it finds no worker for.
 */
static bool starved(const struct e4d_vresult *r)
{
	int64_t ret = r->res.ret;

	return ret == -ENOMEM || ret == -ECANCELED ||
	       ((ret == -ENOSPC || ret == -EDQUOT) && !about_space(r->c));
}

static bool ret_ok(const struct e4d_vresult *r, const struct wl_outcome *o,
                   const struct e4d_vfs *fs, char *why, size_t len)
{
	int64_t ret = r->res.ret, full = (int64_t)asked(r);
	bool ok;

	(void)o;
	(void)fs;
	switch (r->c->want) {
	case E4D_V_ODD:
		ok = ret == full || ret == -EINVAL;
		break;
	case E4D_V_AGAIN:
		ok = ret == full || ret == -EAGAIN;
		break;
	case E4D_V_SHORT:
		ok = ret <= (int64_t)r->c->w.readable;
		break;
	case E4D_V_LESS:
		ok = ret < full;
		break;
	case E4D_V_KILLED:
	case E4D_V_CRASH:
		ok = true;
		break;
	default:
		ok = ret == full;
	}
	return ok || starved(r) ||
	       fails(why, len, "returned %" PRId64 " of %" PRId64 " bytes", ret, full);
}

/*
 * By the letter: a failed write that moved i_size breaks this one also when it left
 * no block, and a reader finds bytes that no write ever reported. Whom a signal kills
 * is told nothing: what could be written before may stay, and i_size end there.
 */
static bool size_ok(const struct e4d_vresult *r, const struct wl_outcome *o,
                    const struct e4d_vfs *fs, char *why, size_t len)
{
	uint64_t want = r->res.isize_before;

	(void)o;
	(void)fs;
	if (r->res.ret > 0 && r->res.offset + (uint64_t)r->res.ret > want)
		want = r->res.offset + (uint64_t)r->res.ret;
	if (r->isize_after == want || r->c->want == E4D_V_CRASH)
		return true;
	if (r->c->want == E4D_V_KILLED && r->isize_after > want &&
	    r->isize_after <= r->res.offset + r->c->w.readable)
		return true;
	if (r->res.ret > 0)
		return fails(why, len,
		             "i_size is %" PRIu64 ", not %" PRIu64 ", after a return of %" PRId64,
		             r->isize_after, want, r->res.ret);
	return fails(why, len,
	             "the write failed with %" PRId64 ", yet i_size moved from %" PRIu64
	             " to %" PRIu64 "%s",
	             r->res.ret, want, r->isize_after,
	             r->truth.past_eof ? "" : ", with no block past it");
}

static bool past_ok(const struct e4d_vresult *r, const struct wl_outcome *o,
                    const struct e4d_vfs *fs, char *why, size_t len)
{
	(void)o;
	(void)fs;
	return !r->truth.past_eof ||
	       fails(why, len, "%" PRIu64 " bytes of blocks past EOF that were not there before",
	             r->truth.past_eof);
}

/* Bytes of the clusters that the extents touch; extents come in file order. */
static uint64_t in_units(const struct wl_map *map, uint64_t unit)
{
	uint64_t sum = 0, done = 0;

	for (size_t i = 0; i < map->count; i++) {
		uint64_t from = map->ext[i].start / unit * unit;
		uint64_t to = (map->ext[i].end + unit - 1) / unit * unit;

		if (map->ext[i].delalloc)
			continue;
		if (from < done)
			from = done;
		sum += to > from ? to - from : 0;
		done = to > done ? to : done;
	}
	return sum;
}

/* Extent or indirect blocks count too, and so does a delayed allocation. */
static bool blocks_ok(const struct e4d_vresult *r, const struct wl_outcome *o,
                      const struct e4d_vfs *fs, char *why, size_t len)
{
	uint64_t have = (uint64_t)o->st.st_blocks * 512;
	uint64_t data = fs->base + in_units(&o->after, fs->unit), extra = r->truth.delalloc;

	if (!fs->extents)
		extra += 4 * fs->blksize;
	else if (o->after.count > INLINE_EXTENTS)
		extra += (o->after.count / INLINE_EXTENTS) * fs->unit;
	return (have >= data && have <= data + extra) ||
	       fails(why, len, "st_blocks is %" PRIu64 " bytes, the map %" PRIu64, have, data);
}

static bool data_ok(const struct e4d_vresult *r, const struct wl_outcome *o,
                    const struct e4d_vfs *fs, char *why, size_t len)
{
	(void)fs;
	return r->res.ret <= 0 || r->c->want == E4D_V_CRASH || o->data_ok ||
	       fails(why, len, "the data do not read back as written");
}

const struct e4d_vcheck e4d_vchecks[] = {
	{"ret", "the write returns all, or what its case allows", ret_ok},
	{"size", "i_size grows by the bytes returned, and by no other", size_ok},
	{"past-eof", "no block past EOF that was not there before (FIEMAP with SYNC)", past_ok},
	{"blocks", "st_blocks agrees with the map", blocks_ok},
	{"data", "the data read back", data_ok},
};

const size_t e4d_vcheck_count = sizeof(e4d_vchecks) / sizeof(e4d_vchecks[0]);

void e4d_vcheck_fail(struct e4d_vresult *r, const char *name, const char *why)
{
	size_t at = r->kernel == E4D_V_FAIL ? strlen(r->why) : 0;

	r->kernel = E4D_V_FAIL;
	snprintf(r->why + at, sizeof(r->why) - at, "%s%s: %s", at ? "; " : "", name, why);
}

void e4d_vcheck_kernel(struct e4d_vresult *r, const struct wl_outcome *o, const struct e4d_vfs *fs)
{
	r->kernel = E4D_V_PASS;
	for (size_t i = 0; i < e4d_vcheck_count; i++) {
		char why[120] = "";

		if (!e4d_vchecks[i].ok(r, o, fs, why, sizeof(why)))
			e4d_vcheck_fail(r, e4d_vchecks[i].name, why);
	}
	if (r->kernel == E4D_V_PASS && starved(r)) {
		r->kernel = E4D_V_SKIP;
		r->not_run = true;
		snprintf(r->why, sizeof(r->why), "the write: %s", strerror(-(int)r->res.ret));
	}
}

/*
 * The tracepoint tier begins at iomap: a NOWAIT write that ext4 turns away
 * before it is not seen.
 */
static bool turned_away(const struct e4d_vresult *r, enum e4d_tier tier)
{
	return tier == E4D_TIER_TRACEPOINT && r->res.ret == -EAGAIN && !r->live.past_eof;
}

unsigned int e4d_vcheck_due(const struct e4d_vresult *r, enum e4d_tier tier)
{
	return turned_away(r, tier) ? 0 : r->res.writes;
}

static bool is_leak(unsigned int verdict)
{
	return verdict == E4D_LEAK || verdict == E4D_TRIM_FAILED;
}

/* Why a verdict is unknown. */
static const char *first_doubt(const struct e4d_record *rec)
{
	return rec->doubt ? e4d_name(&e4d_doubts, (unsigned int)__builtin_ctz(rec->doubt))
	                  : "no doubt";
}

void e4d_vcheck_tool(struct e4d_vresult *r, enum e4d_tier tier)
{
	const struct e4d_record *rec = &r->rec;
	bool knows_ret = (rec->seen & E4D_SEEN_RET) && r->c->want != E4D_V_KILLED;
	size_t len = sizeof(r->tool_why);
	char *why = r->tool_why;

	r->tool = E4D_V_DISAGREES;
	if (!r->records && turned_away(r, tier))
		r->tool = E4D_V_AGREES;
	else if (r->records != r->res.writes)
		fails(why, len, "saw %u of %u write%s", r->records, r->res.writes,
		      e4d_s(r->res.writes));
	else if (rec->verdict == E4D_UNKNOWN) {
		fails(why, len, "says unknown (%s), the disk %s", first_doubt(rec),
		      r->live.past_eof ? "leak" : "none");
		r->tool = E4D_V_BLIND;
	} else if (r->c->want == E4D_V_CRASH && is_leak(rec->verdict) == (r->live.past_eof > 0)) {
		/* the file system ends before the write does: what it left is all to agree on */
		r->tool = E4D_V_AGREES;
	} else if (is_leak(rec->verdict) != (r->live.past_eof > 0) ||
	           rec->past_eof != r->live.past_eof)
		fails(why, len, "says %s of %llu bytes, the disk %" PRIu64,
		      e4d_verdict_name(rec->verdict), rec->past_eof, r->live.past_eof);
	else if (rec->isize_after != r->isize_live)
		fails(why, len, "says i_size %llu, the disk %" PRIu64, rec->isize_after,
		      r->isize_live);
	else if (rec->prealloc != r->live.prealloc)
		fails(why, len, "says prealloc %llu, the disk %" PRIu64, rec->prealloc,
		      r->live.prealloc);
	else if (knows_ret && rec->ret != r->res.ret)
		fails(why, len, "says ret %d, the caller %" PRId64, rec->ret, r->res.ret);
	else if (knows_ret && (rec->offset != r->res.offset || rec->submitted != asked(r)))
		fails(why, len, "says %u bytes at %llu, the caller %" PRIu64 " at %" PRIu64,
		      rec->submitted, rec->offset, asked(r), r->res.offset);
	else
		r->tool = E4D_V_AGREES;
}
