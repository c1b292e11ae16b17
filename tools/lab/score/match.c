/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Which record is of which write, and what a write without a record means. */
#include <errno.h>

#include "score.h"

/*
 * A NOWAIT try that came to nothing: io_uring makes one before the real write,
 * which has a record of its own.
 */
bool sc_is_try(const struct sc_rec *r)
{
	if (!(r->flags & E4D_F_NOWAIT))
		return false;
	return r->has_ret ? r->ret == -EAGAIN : !r->mapped;
}

/* Does the record stand for its write, or is it only a try before it? */
bool sc_counts(const struct sc_episode *e, const struct sc_rec *r)
{
	const struct sc_write *w = r->write >= 0 ? &e->write[r->write] : NULL;

	return !sc_is_try(r) || (w && w->has_ret && w->ret == -EAGAIN);
}

static bool same_range(const struct sc_rec *r, const struct sc_write *w)
{
	return r->offset == w->offset && r->submitted == w->submitted;
}

static bool same_end(const struct sc_rec *r, const struct sc_write *w)
{
	return r->offset + r->submitted == w->offset + w->submitted;
}

/*
 * What the kernel makes of a request: it moves an append to EOF, and cuts a
 * write at RLIMIT_FSIZE.
 */
static bool same_after_checks(const struct sc_episode *e, const struct sc_rec *r,
                              const struct sc_write *w)
{
	if (r->offset != w->offset && !w->append)
		return false;
	if (r->submitted == w->submitted || !r->submitted) /* 0: kprobe, begun late, and failed */
		return true;
	for (unsigned int i = 0; i < e->steps.limits; i++)
		if (r->submitted < w->submitted && r->offset + r->submitted == e->steps.fsize[i])
			return true;
	return false;
}

/* The kinds of the request; before 6.6 the tracepoint tier does not see them. */
static bool same_kind(const struct sc_run *run, const struct sc_rec *r, const struct sc_write *w)
{
	if (run->opts.blind)
		return true;
	return !(r->flags & E4D_F_SYNC) == w->async && !(r->flags & E4D_F_APPEND) == !w->append;
}

/*
 * The ways in which a record fits a write, the surest first. A worker of
 * io_uring has another tid, before 5.12 another pid as well.
 */
enum fit { FIT_THREAD, FIT_PROCESS, FIT_WORKER, FIT_CHANGED, FIT_REST, FIT_TRY, FIT_COUNT };

static bool fits(const struct sc_run *run, enum fit how, const struct sc_episode *e,
                 const struct sc_rec *r, const struct sc_write *w)
{
	bool ours = r->pid == w->pid || w->uring;

	if (!same_kind(run, r, w))
		return false;
	if (how != FIT_TRY && sc_is_try(r) && !(w->has_ret && w->ret == -EAGAIN))
		return false;
	if (w->records && how != FIT_REST && how != FIT_TRY)
		return false;
	switch (how) {
	case FIT_THREAD:
		return r->tid == w->tid && !w->uring && same_range(r, w);
	case FIT_PROCESS:
		return r->pid == w->pid && same_range(r, w);
	case FIT_WORKER:
		return w->uring && same_range(r, w);
	case FIT_CHANGED:
		return ours && same_after_checks(e, r, w);
	case FIT_REST: /* io_uring asks again for what a short write left */
		return w->uring && w->records && r->offset > w->offset && same_end(r, w);
	case FIT_TRY:
		return sc_is_try(r) && ours && (same_after_checks(e, r, w) || same_end(r, w));
	default:
		return false;
	}
}

static void assign(struct sc_episode *e, size_t i, size_t k)
{
	struct sc_rec *r = &e->rec[i];
	struct sc_write *w = &e->write[k];

	r->write = (int32_t)k;
	if (!sc_counts(e, r))
		return;
	if (!w->records++) {
		w->first = i;
		w->all_ret = true;
	}
	w->last = r->ret;
	w->all_ret &= r->has_ret;
	if (r->ret > 0)
		w->got += r->ret;
}

/* Records in their order, each to the first write that it fits. */
static void pair(const struct sc_run *run, struct sc_episode *e)
{
	for (int how = 0; how < FIT_COUNT; how++)
		for (size_t i = 0; i < e->records; i++)
			for (size_t k = 0; k < e->writes && e->rec[i].write < 0; k++)
				if (fits(run, how, e, &e->rec[i], &e->write[k]))
					assign(e, i, k);
}

/*
 * Did the write end before the tier's first hook? fentry and kprobe hook the
 * entry into ext4; the tracepoints come later, and before 6.6 the first is that
 * of a mapping.
 */
static bool before_first_hook(const struct sc_run *run, const struct sc_episode *e,
                              const struct sc_write *w)
{
	if (!w->has_ret) /* killed: perhaps it never began */
		return e->killed && !run->opts.loss && !(e->writes == 1 && e->past_eof);
	if (!w->submitted || w->ret == -ECANCELED)
		return true;
	if (run->opts.tier != E4D_TIER_TRACEPOINT)
		return false;
	if (!run->opts.blind)
		return w->ret == -EAGAIN || w->ret == -EFBIG;
	/* a page in the way: all of the write goes through the page cache */
	return w->ret <= 0 || e->steps.buffered || e->steps.mmap;
}

/* Where the write would have ended: RLIMIT_FSIZE cuts it. */
static uint64_t end_after_checks(const struct sc_episode *e, const struct sc_write *w)
{
	uint64_t end = w->offset + w->submitted;

	for (unsigned int i = 0; i < e->steps.limits; i++)
		if (e->steps.fsize[i] < end)
			end = e->steps.fsize[i];
	return end;
}

/* i_size may have been here when the write began: those beside it move EOF, too. */
static uint64_t isize_at_most(const struct sc_episode *e, const struct sc_write *w)
{
	uint64_t isize = e->isize_before;

	for (size_t k = 0; k < e->writes; k++)
		if (&e->write[k] != w && end_after_checks(e, &e->write[k]) > isize)
			isize = end_after_checks(e, &e->write[k]);
	return isize;
}

/*
 * Without --all only what extends must have a record, and what has more than one
 * step may extend or not; of a NOWAIT try that came to nothing none is written.
 * A leak without one is a miss in any case.
 */
static bool not_followed(const struct sc_run *run, const struct sc_episode *e,
                         const struct sc_write *w)
{
	if (!run->opts.extending)
		return false;
	if (w->nowait && w->has_ret && w->ret == -EAGAIN)
		return true;
	return e->steps.count != 1 || w->append || end_after_checks(e, w) <= isize_at_most(e, w);
}

/* In a run with losses, the record that would have told may be the lost one. */
static bool incomplete(const struct sc_run *run, const struct sc_write *w)
{
	if (!run->opts.loss || !w->uring || !w->records)
		return false;
	return !w->has_ret || !w->all_ret || (w->got != w->ret && w->last != w->ret);
}

static void absent(struct sc_run *run, struct sc_episode *e, const struct sc_write *w,
                   struct sc_result *res)
{
	if (!w->records && (before_first_hook(run, e, w) || not_followed(run, e, w))) {
		e->unseen++;
	} else if (run->opts.loss) {
		e->lost_writes++;
	} else if (run->excuses) {
		run->excuses--;
		e->lost_writes++;
	} else {
		e->missing++;
		sc_say(res, SC_MISSING,
		       "expected a record of the write at %llu of %llu bytes by %d, got none",
		       (unsigned long long)w->offset, (unsigned long long)w->submitted, w->tid);
	}
}

/* Joins records and writes of one episode. */
void sc_match(struct sc_run *run, struct sc_episode *e, struct sc_result *res)
{
	sc_trace_slice(&run->trace, e);
	pair(run, e);
	for (size_t k = 0; k < e->writes; k++)
		if (!e->write[k].records || incomplete(run, &e->write[k]))
			absent(run, e, &e->write[k], res);
	for (size_t i = 0; i < e->records; i++)
		if (e->rec[i].write < 0)
			sc_say(res, SC_STRAY, "no write of the episode is that of record %llu",
			       (unsigned long long)e->rec[i].seq);
}
