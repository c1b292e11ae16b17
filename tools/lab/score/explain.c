/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A write claimed a leak, and after its group the disk shows none. Was it there
 * once? Blocks past EOF stay until something takes them away, so that there
 * must be something: each kind that there is, and no more.
 */
#include <errno.h>

#include "score.h"

#define PAGE 4096ULL

/* i_size cannot have been below this when the write returned. */
static uint64_t least_isize(const struct sc_episode *e, const struct sc_rec *r)
{
	uint64_t least = e->isize_before;

	if (e->steps.truncate || e->steps.collapse)
		return 0;
	if (r->has_ret && r->ret > 0 && r->offset + (uint64_t)r->ret > least)
		least = r->offset + (uint64_t)r->ret;
	return least;
}

/*
 * Can the claim have been true when the write returned? A write has no blocks
 * past the last one that it asked for, on most kernels. What never was is excused
 * by nothing.
 */
static bool possible(const struct sc_run *run, const struct sc_episode *e, const struct sc_rec *r)
{
	if (r->isize_after < least_isize(e, r))
		return false;
	return run->opts.over || sc_up(r->isize_after, e->blksize) + r->past_eof <=
	                                 sc_up(r->offset + r->submitted, e->blksize);
}

/* Another record, of a write that ended after this one began. */
static bool later(const struct sc_rec *r, const struct sc_rec *other)
{
	return other != r && other->end >= r->ts;
}

/*
 * Is there anything in the group that can have moved EOF out after the write?
 * Not a collapse as such; but a buffered write (or fallback) at an offset from
 * before it then lies past EOF, and moves it there without a byte written.
 */
static bool eof_was_moved(const struct sc_episode *e, const struct sc_rec *r)
{
	if (e->steps.buffered || e->steps.truncate || e->steps.collapse || e->unseen ||
	    e->missing || e->lost_writes)
		return true;
	for (size_t i = 0; i < e->records; i++)
		if (later(r, &e->rec[i]) && e->rec[i].isize_after > r->isize_after)
			return true;
	return false;
}

/* Bytes of the claim that are still past EOF, wherever EOF has moved. */
static uint64_t uncovered(const struct sc_episode *e, const struct sc_rec *r)
{
	uint64_t end = sc_up(r->isize_after, e->blksize) + r->past_eof;
	uint64_t eof = sc_up(e->isize_after + e->steps.collapsed, e->blksize);

	if (eof + r->past_eof <= end || !eof_was_moved(e, r))
		return r->past_eof;
	return eof < end ? end - eof : 0;
}

/*
 * The tracepoint tier is done with a failing write at its completion, when it
 * has no blocks past EOF itself; the truncate that follows is in no record.
 */
static bool trims_unseen(const struct sc_run *run, const struct sc_rec *o)
{
	return run->opts.tier == E4D_TIER_TRACEPOINT && (o->flags & E4D_F_EXTEND) && o->has_ret &&
	       o->ret < 0 && !sc_is_try(o);
}

/* Another write's truncate cuts at i_size, whoever's blocks lie behind it. */
static bool trimmed(const struct sc_run *run, const struct sc_episode *e, const struct sc_rec *r)
{
	uint64_t end = sc_up(r->isize_after, e->blksize) + r->past_eof;

	for (size_t i = 0; i < e->records; i++) {
		const struct sc_rec *o = &e->rec[i];

		if (!later(r, o))
			continue;
		if (o->has_trim ? !o->trim_failed && sc_up(o->trim_from, e->blksize) < end
		                : trims_unseen(run, o))
			return true;
	}
	return false;
}

/* A buffered write that finds no space truncates at i_size, too. */
static bool out_of_space(const struct sc_episode *e)
{
	for (size_t k = 0; k < e->writes; k++)
		if (e->write[k].has_ret && e->write[k].ret == -ENOSPC)
			return e->steps.buffered;
	return false;
}

static bool other_unknown(const struct sc_episode *e, const struct sc_rec *r)
{
	for (size_t i = 0; i < e->records; i++)
		if (later(r, &e->rec[i]) && e->rec[i].verdict == E4D_UNKNOWN)
			return true;
	return false;
}

/* Old blocks were trimmed, and allocated again at the same place. */
static bool looks_old(const struct sc_episode *e, const struct sc_rec *r)
{
	if (!e->past_before || e->prealloc < r->past_eof)
		return false;
	if (e->steps.truncate)
		return true;
	for (size_t i = 0; i < e->records; i++)
		if (&e->rec[i] != r && e->rec[i].has_trim && e->rec[i].ts <= r->end)
			return true;
	return false;
}

/* Can something have taken the blocks away, wherever EOF is? */
static bool removed(const struct sc_run *run, const struct sc_episode *e, const struct sc_rec *r)
{
	if (e->steps.truncate || trimmed(run, e, r) || out_of_space(e))
		return true;
	if (e->steps.punch && r->past_eof <= PAGE - e->blksize) /* up to the end of EOF's page */
		return true;
	/* or are they there, under another name */
	if (e->falloc || looks_old(e, r))
		return true;
	return e->missing || e->lost_writes || other_unknown(e, r);
}

/* How much of the claim nothing can have undone, so that it must be on disk. */
uint64_t sc_firm(const struct sc_run *run, const struct sc_episode *e, const struct sc_rec *r)
{
	if (!possible(run, e, r))
		return r->past_eof;
	return removed(run, e, r) ? 0 : uncovered(e, r);
}
