/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The begin of a direct write. One inside EOF leaves no block past EOF, whatever
 * becomes of it: unless all are wanted it is counted and gets no state. Two
 * things show that it matters after all, and begin it late: i_size was lower
 * when the write had its lock (begin_late), or it allocates past EOF, which only
 * a broken ext4 does (stray).
 */
#ifndef E4D_BEGIN_BPF_H
#define E4D_BEGIN_BPF_H

#include "finish.bpf.h"

/* What lies behind the end of a name may be left of an earlier one. */
static __always_inline bool comm_passes(void)
{
	__u64 comm[2] = {0};

	k_comm((char *)comm);
	return (comm[0] & cfg.comm_mask[0]) == cfg.comm[0] &&
	       (comm[1] & cfg.comm_mask[1]) == cfg.comm[1];
}

static __always_inline bool passes(struct inode *inode, __u32 tgid)
{
	return (!cfg.dev || k_dev(inode) == cfg.dev) &&
	       (!cfg.ino || LOAD(inode, i_ino) == cfg.ino) && (!cfg.tgid || tgid == cfg.tgid) &&
	       (!cfg.comm_mask[0] || comm_passes());
}

static __always_inline bool wanted(struct inode *inode, __u32 tgid)
{
	if (tgid == cfg.self_tgid)
		return false;
	if (!passes(inode, tgid)) {
		count(E4D_C_FILTERED, 1);
		return false;
	}
	return true;
}

static __always_inline void set_range(struct e4d_slot *w, __u64 offset, __u32 submitted,
                                      __u64 isize)
{
	struct e4d_record *r = &w->rec;
	__u64 mask = (1ULL << (r->blkbits & 31)) - 1;

	r->offset = offset;
	r->submitted = submitted;
	r->isize_before = isize;
	w->isize = isize;
	w->isize_end = isize;
	r->flags &= ~(E4D_F_EXTEND | E4D_F_UNALIGNED);
	if (offset + submitted > isize)
		r->flags |= E4D_F_EXTEND;
	if ((offset | submitted) & mask)
		r->flags |= E4D_F_UNALIGNED;
}

/* A claimed slot's first words (ids; iocb 0: not known). From here on the hooks look for it. */
static __always_inline void init_state(struct e4d_slot *w, __u64 iocb, __u64 inode)
{
	w->link = 0;
	w->link_seq = 0;
	w->iocb = iocb;
	w->inode = inode;
	w->live = 0;
	__builtin_memset(w->runs, 0, sizeof(w->runs));
	w->run_count = 0;
	w->cover = 0;
	w->mapped_to = 0;
	w->cut = E4D_NO_CUT;
	w->cut_low = E4D_NO_CUT;
	w->exposed_since = 0;
	w->event_ns = 0;
	w->call = 0;
	w->own_end_io = 0;
	w->truncating = 0;
	w->end_io_failed = 0;
	w->tid = 0;
	if (E4D_TIER == E4D_TIER_KPROBE && w->key >> 32 == E4D_KEY_THREAD >> 32)
		w->tid = (__u32)w->key;
	w->found = 0;
	w->phase = E4D_PHASE_DIO;
	w->depth = 0;
	__builtin_memset(&w->rec, 0, sizeof(w->rec));
	e4d_busy_add(&shared, w, 1);
}

static __always_inline void init_record(struct e4d_slot *w, struct inode *inode, __u64 id)
{
	struct e4d_record *r = &w->rec;
	__u32 *g = generation(w->inode); /* after init_state: it tells who bumps */

	w->generation = g ? *g : 0;
	r->ts_ns = bpf_ktime_get_boot_ns();
	r->ino = LOAD(inode, i_ino);
	r->gen = LOAD(inode, i_generation);
	r->dev = k_dev(inode);
	r->blkbits = LOAD(inode, i_blkbits);
	r->pid = id >> 32;
	r->tid = (__u32)id;
	r->tier = E4D_TIER;
	r->version = E4D_RECORD_VERSION;
	if (LOAD(inode, i_flags) & S_DAX)
		r->flags |= E4D_F_DAX;
}

static __always_inline void init_flags(struct e4d_slot *w, __u32 ki, bool sync)
{
	struct e4d_record *r = &w->rec;

	if (sync)
		r->flags |= E4D_F_SYNC;
	else
		k_comm(r->comm);
	if (ki & IOCB_NOWAIT) {
		r->flags |= E4D_F_NOWAIT;
		/* a try that came to nothing has no completion */
		if (E4D_TIER == E4D_TIER_TRACEPOINT)
			w->call = k_call_id();
	}
	if (ki & IOCB_DSYNC)
		r->flags |= E4D_F_DSYNC;
	if (ki & IOCB_APPEND)
		r->flags |= E4D_F_APPEND;
	if (ki & IOCB_ATOMIC)
		r->flags |= E4D_F_ATOMIC;
}

/* Not followed: counted as what it is. n: 1, or -1 to take it back. */
static __always_inline void count_unfollowed(__u32 submitted, __s32 n)
{
	if (cfg.extend_only)
		count(E4D_C_FILTERED, n);
	else
		count_inside(n, (__s64)submitted * n);
}

/* A state for the write; an asynchronous one's is its iocb's, and the thread links to it. */
static __always_inline void follow(struct kiocb *iocb, struct inode *inode, __u64 pos, __u32 ki,
                                   __u32 submitted, __u64 id)
{
	__u64 tkey = key_of(id), key;
	bool sync = !LOAD(iocb, ki_complete);
	struct e4d_slot *t, *w;

	count(E4D_C_WRITES, 1);
	key = sync ? tkey : k_id(iocb);
	if (!sync) {
		w = slot_find(key);
		if (w)
			close_write(w, key);
	}
	w = slot_claim(key);
	if (!w) {
		count(E4D_C_STATE_FULL, 1);
		return;
	}
	init_state(w, k_id(iocb), k_id(inode));
	init_record(w, inode, id);
	init_flags(w, ki, sync);
	set_range(w, pos, submitted, k_isize(inode));
	w->rec.seq = new_seq();
	if (sync)
		return;
	t = slot_claim(tkey);
	if (!t) { /* its mappings could not be told: give the write up */
		count(E4D_C_STATE_FULL, 1);
		slot_free(w, key);
		return;
	}
	init_state(t, w->iocb, w->inode);
	t->link_seq = w->rec.seq;
	t->link = key;
}

/* A plain write turns out to matter: it is followed from here on, as far as it has come. */
static __always_inline struct e4d_slot *follow_plain(struct e4d_plain *p, struct inode *inode)
{
	__u64 tkey = key_of(p->id);
	struct e4d_slot *w = slot_find(tkey);

	if (w)
		close_open(w, tkey);
	count(E4D_C_WRITES, 1);
	w = slot_claim(tkey);
	if (!w) {
		count(E4D_C_STATE_FULL, 1);
		e4d_plain_free(p);
		return NULL;
	}
	init_state(w, p->iocb, p->inode);
	init_record(w, inode, p->id);
	init_flags(w, p->ki_flags, true);
	set_range(w, p->offset, p->submitted, p->isize);
	w->mapped_to = p->mapped_end;
	w->rec.ts_ns = p->ts_ns;
	w->rec.seq = p->seq;
	w->rec.mapped = p->mapped;
	w->rec.mapped_end = p->mapped_end;
	w->rec.extents = p->extents;
	w->rec.flags |= p->flags & E4D_F_UNWRITTEN;
	w->rec.dio_size = p->dio_size;
	w->rec.dio_error = p->dio_error;
	w->rec.seen = p->seen;
	if (p->seen & E4D_SEEN_END_IO)
		w->phase = E4D_PHASE_DONE;
	e4d_plain_free(p);
	return w;
}

/* The write that this thread has open on the inode, plain ones too: followed now. */
static __always_inline struct e4d_slot *current_any(struct inode *inode)
{
	struct e4d_slot *w = current_write(inode);
	struct e4d_plain *p;

	if (w || !cfg.all)
		return w;
	p = plain_of(bpf_get_current_pid_tgid(), k_id(inode));
	return p ? follow_plain(p, inode) : NULL;
}

/* Begins a write inside EOF without a slot, if that will do. */
static __always_inline bool begin_inside(struct kiocb *iocb, struct inode *inode, __u32 submitted,
                                         __u64 isize)
{
	if (cfg.all)
		return plain_begin(iocb, inode, submitted, isize);
	if (cfg.files)
		begin_timed(iocb, inode, submitted);
	else
		count_inside(1, submitted);
	return true;
}

/* What this iocb or thread had open is over. */
static __always_inline void close_before(struct kiocb *iocb, struct inode *inode, __u64 id)
{
	struct e4d_slot *t = slot_find(key_of(id));
	struct e4d_plain *p;

	if (t)
		close_open(t, key_of(id));
	p = plain_at(k_id(iocb));
	if (p->iocb != k_id(iocb))
		return;
	t = cfg.all && p->inode == k_id(inode) && p->id == id ? follow_plain(p, inode) : NULL;
	if (t)
		close_write(t, key_of(id));
	e4d_plain_free(p);
}

SLOW int begin_slow(struct kiocb *iocb, struct inode *inode, __u32 submitted)
{
	__u64 id = bpf_get_current_pid_tgid(), pos = LOAD(iocb, ki_pos), isize = k_isize(inode);
	__u32 ki = LOAD(iocb, ki_flags);

	if (!wanted(inode, id >> 32))
		return 0;
	if (pos + submitted <= isize && !(ki & IOCB_APPEND)) {
		if (cfg.extend_only) {
			count(E4D_C_FILTERED, 1);
			return 0;
		}
		if (cfg.begin == E4D_BEGIN_SLOW && begin_inside(iocb, inode, submitted, isize))
			return 0;
	}
	close_before(iocb, inode, id);
	follow(iocb, inode, pos, ki, submitted, id);
	return 0;
}

/* The same where each write is wanted. */
SLOW int begin_all(struct kiocb *iocb, struct inode *inode, __u32 submitted)
{
	__u64 isize = k_isize(inode);

	if ((__u64)LOAD(iocb, ki_pos) + submitted > isize || (LOAD(iocb, ki_flags) & IOCB_APPEND) ||
	    !plain_begin(iocb, inode, submitted, isize))
		begin_slow(iocb, inode, submitted);
	return 0;
}

/*
 * A direct write to ext4 begins on this thread; bytes as given by the caller.
 * timed: in the programs that stand in for the others with cfg.files.
 */
static __always_inline int write_begin(struct kiocb *iocb, struct inode *inode, __u32 submitted,
                                       bool timed)
{
	if (cfg.begin == E4D_BEGIN_SLOW)
		return begin_slow(iocb, inode, submitted);
	if (!timed && cfg.begin == E4D_BEGIN_ALL)
		return begin_all(iocb, inode, submitted);
	if ((__u64)LOAD(iocb, ki_pos) + submitted > k_isize(inode) ||
	    (LOAD(iocb, ki_flags) & IOCB_APPEND))
		return begin_slow(iocb, inode, submitted);
	if (timed)
		begin_timed(iocb, inode, submitted);
	else
		count_inside(1, submitted);
	return 0;
}

/* Does the begin leave writes without a state, and is this one of them? */
static __always_inline bool unfollowed(struct inode *inode, __u64 id)
{
	return (!cfg.all || cfg.extend_only) && shared.whole &&
	       (__u32)(id >> 32) != cfg.self_tgid && passes(inode, id >> 32);
}

/* The thread's own slot for a write that has begun already; its iocb is not known. */
static __always_inline struct e4d_slot *claim_late(struct inode *inode, __u64 id)
{
	struct e4d_slot *t = slot_find(key_of(id));

	if (t && t->phase != E4D_PHASE_STRAY)
		return NULL;
	if (t)
		discard(t, key_of(id));
	t = slot_claim(key_of(id));
	if (!t) {
		count(E4D_C_STATE_FULL, 1);
		return NULL;
	}
	init_state(t, 0, k_id(inode));
	init_record(t, inode, id);
	t->rec.seq = new_seq();
	return t;
}

/* What the begin counted is followed from this mapping on. */
static __always_inline void follow_late(struct e4d_slot *w, struct inode *inode, __u64 pos,
                                        __u64 len)
{
	__u32 submitted = len > 0xffffffff ? 0xffffffff : len;

	count_unfollowed(submitted, -1);
	count(E4D_C_WRITES, 1);
	k_comm(w->rec.comm);
	set_range(w, pos, submitted, k_isize(inode));
}

/*
 * A mapping of a direct write that has no state. The thread holds the lock now:
 * a range past i_size means that a truncate came between begin and lock.
 */
static __always_inline struct e4d_slot *begin_late(struct inode *inode, __u64 pos, __u64 len)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct e4d_slot *w;

	if (pos + len <= k_isize(inode) || !unfollowed(inode, id))
		return NULL;
	w = claim_late(inode, id);
	if (w)
		follow_late(w, inode, pos, len);
	return w;
}

/*
 * Blocks past EOF for a thread that has no write followed. A direct write's
 * mapping will take the state over; a fallocate's or a buffered write's is
 * dropped when their system call is over.
 */
static __always_inline struct e4d_slot *begin_stray(struct inode *inode, __u64 lblk, __u64 len)
{
	__u64 id = bpf_get_current_pid_tgid(), isize = k_isize(inode);
	__u8 bits = LOAD(inode, i_blkbits);
	struct e4d_slot *w;

	if ((lblk + len) << (bits & 31) <= e4d_up(isize, bits) || !unfollowed(inode, id))
		return NULL;
	w = claim_late(inode, id);
	if (!w)
		return NULL;
	w->call = k_call_id();
	w->event_ns = w->rec.ts_ns;
	w->rec.isize_before = isize;
	w->phase = E4D_PHASE_STRAY;
	count(E4D_C_PENDING, 1);
	return w;
}

/* len 0: the tier does not see the write's own range, but only the mapping's. */
static __always_inline void adopt_stray(struct e4d_slot *w, struct inode *inode, __u64 pos,
                                        __u64 len)
{
	count(E4D_C_PENDING, -1);
	w->phase = E4D_PHASE_DIO;
	if (!len)
		w->rec.evidence = E4D_INFERRED;
	follow_late(w, inode, pos, len);
}

#endif
