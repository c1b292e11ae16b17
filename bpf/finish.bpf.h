/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The end of a write: exposure, verdict, counters, emission, release. */
#ifndef E4D_FINISH_BPF_H
#define E4D_FINISH_BPF_H

#include "plain.bpf.h"

/* Exposed: own blocks (up to live) past i_disksize, and no orphan entry. */
static __always_inline void exposure_check(struct e4d_slot *w, struct inode *inode, __u64 live)
{
	bool exposed;
	__u64 now;

	if (!k_has_ext4_inode())
		return;
	/* nothing to end, and nothing that could begin */
	if (!w->exposed_since && live <= e4d_up(w->rec.isize_before, w->rec.blkbits))
		return;
	exposed = live > e4d_up(k_disksize(inode), w->rec.blkbits) && LOAD(inode, i_nlink) &&
	          !k_on_orphan_list(inode);
	if (exposed == !!w->exposed_since)
		return;
	now = bpf_ktime_get_boot_ns();
	if (exposed) {
		w->exposed_since = now;
	} else {
		w->rec.exposed_ns += now - w->exposed_since;
		w->exposed_since = 0;
	}
}

/*
 * i_size as the write's own step left it. Did somebody remove blocks while our
 * fallback moved EOF, or move EOF back? Asked here and not when the write is
 * settled: what happens after its last step is not its own.
 */
static __always_inline void isize_now(struct e4d_slot *w, struct inode *inode)
{
	struct e4d_record *r = &w->rec;
	__u32 *g = generation(w->inode);

	w->isize = k_isize(inode);
	r->doubt &= ~E4D_DOUBT_RACE;
	if (g && *g != w->generation && e4d_past_eof(w, w->isize) &&
	    ((r->seen & E4D_SEEN_FALLBACK && r->fallback > 0) || w->isize < w->isize_end))
		r->doubt |= E4D_DOUBT_RACE;
}

#ifdef E4D_NO_CMPXCHG
static __always_inline bool put_record(const struct e4d_record *rec, __u64 now)
{
	return !bpf_ringbuf_output(&ring, (void *)rec, sizeof(*rec), BPF_RB_NO_WAKEUP);
}
#else
static __always_inline bool put_record(const struct e4d_record *rec, __u64 now)
{
	struct ring_at at;

	if (!ring_reserve(&at, ring_row(bpf_get_smp_processor_id()), 2))
		return false;
	at.event->timestamp = now;
	((struct e4d_ev_write *)at.event)->rec = *rec;
	ring_commit(&at, 2, E4D_EV_WRITE);
	return true;
}
#endif

static __always_inline void emit(struct e4d_slot *w, __u64 now)
{
	if ((__u32)bpf_get_current_pid_tgid() == w->rec.tid)
		k_comm(w->rec.comm);
	count(E4D_C_PRODUCED, 1);
	if (!put_record(&w->rec, now))
		count(E4D_C_RING_FULL, 1);
}

/* A NOWAIT try that came to nothing; its retry is a write of its own. */
static __always_inline bool empty_try(const struct e4d_record *r)
{
	return (r->flags & E4D_F_NOWAIT) && !(r->seen & E4D_SEEN_MAP) &&
	       (!(r->seen & E4D_SEEN_RET) || r->ret == -EAGAIN);
}

/*
 * Judges, counts, emits and frees. Whoever takes the slot finishes it; state
 * read from here on is its alone.
 */
static __always_inline void finish(struct e4d_slot *w, __u64 key)
{
	struct e4d_record *r = &w->rec;
	struct e4d_counters *c;
	__u64 now;

	if (!slot_take(w, key))
		return;
	c = counters();
	if (e4d_waits(w))
		__sync_fetch_and_add(&c->v[E4D_C_PENDING], -1);
	now = bpf_ktime_get_boot_ns();
	if (w->phase != E4D_PHASE_PENDING)
		r->latency_ns = now - r->ts_ns;
	r->cpu = bpf_get_smp_processor_id();
	e4d_settle(w, now);
	__sync_fetch_and_add(&c->v[E4D_C_DONE], 1);
	__sync_fetch_and_add(&c->v[E4D_C_SUBMITTED], r->submitted);
	__sync_fetch_and_add(&c->v[E4D_C_MAPPED], r->mapped);
	if (r->verdict < E4D_VERDICT_COUNT)
		__sync_fetch_and_add(&c->v[E4D_C_VERDICT0 + r->verdict], 1);
	if (r->flags & E4D_F_EXTEND)
		__sync_fetch_and_add(&c->v[E4D_C_EXTEND], 1);
	if (cfg.files)
		record_to_sums(w->inode, r);
	if (cfg.all || e4d_is_suspicious(r) || ((r->flags & E4D_F_EXTEND) && !empty_try(r)))
		emit(w, now);
	slot_free(w, key);
}

/* Blocks past EOF that turn out to be no direct write's. */
static __always_inline void discard(struct e4d_slot *w, __u64 key)
{
	if (!slot_take(w, key))
		return;
	count(E4D_C_PENDING, -1);
	slot_free(w, key);
}

SLOW int ask_for_fallback(struct e4d_slot *w)
{
	if (e4d_fallback_unseen(&shared, w))
		w->rec.doubt |= E4D_DOUBT_HALF;
	return 0;
}

/*
 * The write is over, for something else begins in its place. A pending one is
 * settled; in the tracepoint tier one without a mapping came to nothing (begin
 * without completion exists: a failed page cache invalidation, a NOWAIT try);
 * anything else was half seen.
 */
static __always_inline void close_write(struct e4d_slot *w, __u64 key)
{
	if (w->phase == E4D_PHASE_STRAY) {
		discard(w, key);
		return;
	}
	if (e4d_waits(w)) {
		w->rec.evidence = E4D_INFERRED;
		if (E4D_TIER == E4D_TIER_TRACEPOINT)
			ask_for_fallback(w);
	} else if (E4D_TIER != E4D_TIER_TRACEPOINT || (w->rec.seen & E4D_SEEN_MAP)) {
		w->rec.doubt |= E4D_DOUBT_HALF;
		count(E4D_C_STALE, 1);
	}
	finish(w, key);
}

/* This thread starts something new, or dies: what it had open is over. */
static __always_inline void close_open(struct e4d_slot *t, __u64 tkey)
{
	struct e4d_slot *w = slot_follow(t);
	__u64 link = t->link;

	if (link)
		slot_free(t, tkey);
	if (w)
		close_write(w, link ? link : tkey);
}

/* A write that has no end of its own, and is over with its system call. */
static __always_inline bool ends_with_call(const struct e4d_slot *w)
{
	return w->phase == E4D_PHASE_STRAY ||
	       (E4D_TIER == E4D_TIER_TRACEPOINT && (e4d_waits(w) || (w->rec.flags & E4D_F_NOWAIT)));
}

/*
 * The write that this thread has open on the inode, or NULL. In the tracepoint
 * tier what the thread does in another system call is no part of it.
 */
static __always_inline struct e4d_slot *current_write(struct inode *inode)
{
	__u64 tkey = thread_key();
	struct e4d_slot *t = slot_find(tkey), *w;

	if (!t)
		return NULL;
	w = slot_follow(t);
	if (!w || w->inode != k_id(inode))
		return NULL;
	if (ends_with_call(w) && w->call != k_call_id()) {
		close_open(t, tkey);
		return NULL;
	}
	return w;
}

/*
 * An extending write that is not waited for, as no stock kernel does: is the
 * submitter perhaps still to trim what it left? The tracepoint tier does not see
 * it leave.
 */
static __always_inline bool submitter_may_trim(const struct e4d_slot *w, __u64 key)
{
	struct e4d_slot *t;

	if (!(w->rec.flags & E4D_F_EXTEND) || !e4d_past_eof(w, w->isize))
		return false;
	if (E4D_TIER == E4D_TIER_TRACEPOINT)
		return true;
	t = slot_find(E4D_KEY_THREAD | w->rec.tid);
	return t && t->link == key && t->link_seq == w->rec.seq;
}

#endif
