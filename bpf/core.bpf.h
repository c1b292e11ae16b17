/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The life of one direct write, in plain values: begin, mapped, allocated,
 * end_io, truncate, fallback, exit. Each tier's SEC wrappers feed it; the
 * including file defines E4D_TIER first.
 */
#ifndef E4D_CORE_BPF_H
#define E4D_CORE_BPF_H

#include "begin.bpf.h"
#include "runs.bpf.h"

/* Mappings and allocations belong to the direct write, not to its fallback. */
static __always_inline bool maps(const struct e4d_slot *w)
{
	return w->phase == E4D_PHASE_DIO || w->phase == E4D_PHASE_BLIND;
}

/*
 * ext4_iomap_begin returned a mapping. What it covers is also what it
 * allocated, which can be more than iomap->length says: the very bug.
 */
static __always_inline void write_mapped(struct e4d_slot *w, struct iomap *iomap)
{
	struct e4d_record *r = &w->rec;
	__u64 start = LOAD(iomap, offset), end = start + LOAD(iomap, length);

	if (!maps(w))
		return;
	if (w->cover > end && last_run(w)->start <= end)
		end = w->cover;
	w->cover = 0;
	if (start < w->mapped_to) /* a mapping made anew half way counts once */
		start = w->mapped_to;
	if (end > start) {
		r->mapped = sat_add(r->mapped, end - start);
		w->mapped_to = end;
		if (r->extents != 0xffff)
			r->extents++;
	}
	if (end > r->mapped_end)
		r->mapped_end = end;
	if (LOAD(iomap, type) == IOMAP_UNWRITTEN)
		r->flags |= E4D_F_UNWRITTEN;
	r->seen |= E4D_SEEN_MAP;
}

/* The first call of ext4_iomap_begin knows the range after the write checks. */
static __always_inline void write_range(struct e4d_slot *w, struct inode *inode, __u64 pos,
                                        __u64 len)
{
	__u32 *g;

	if ((w->rec.seen & E4D_SEEN_MAP) || w->phase != E4D_PHASE_DIO)
		return;
	g = generation(k_id(inode));
	if (g) /* extending writes hold i_rwsem here: races count from now on */
		w->generation = *g;
	set_range(w, pos, len > 0xffffffff ? 0xffffffff : len, k_isize(inode));
}

/* The block mapping: lblk and len in blocks, isnew: they were allocated. */
static __always_inline void write_allocated(struct e4d_slot *w, struct inode *inode, __u64 lblk,
                                            __u64 len)
{
	struct e4d_record *r = &w->rec;
	__u64 start, end;

	if (!maps(w) && w->phase != E4D_PHASE_STRAY)
		return;
	start = lblk << (r->blkbits & 31);
	end = (lblk + len) << (r->blkbits & 31);
	add_run(w, start, end);
	if (end > w->live)
		w->live = end;
	if (end > r->alloc_end)
		r->alloc_end = end;
	if (end > w->cover)
		w->cover = end;
	if (end > r->mapped_end)
		r->mapped_end = end;
	r->flags |= E4D_F_NEW;
	exposure_check(w, inode, w->live);
}

/*
 * Orphan list and foreign blocks past EOF, while the writer still holds i_rwsem
 * (an extending write does until its cleanup).
 */
static __always_inline void sample_inode(struct e4d_slot *w, struct inode *inode)
{
	struct e4d_record *r = &w->rec;
	__u64 from = e4d_up(w->isize, r->blkbits), past;

	if (!k_has_ext4_inode() || !(r->flags & (E4D_F_EXTEND | E4D_F_NEW)))
		return;
	r->seen |= E4D_SEEN_ORPHAN;
	r->flags &= ~E4D_F_ORPHAN;
	if (k_on_orphan_list(inode))
		r->flags |= E4D_F_ORPHAN;
	if (w->live > from)
		from = w->live;
	past = k_mapped(inode, from, E4D_NOT_KNOWN, r->blkbits & 31);
	r->prealloc = past == E4D_NOT_KNOWN ? 0 : past;
}

/*
 * The completion of a write that was begun late, at a mapping: its iocb tells
 * its kinds, and where it really began, at pos; size: bytes done. It ends where the mapping said,
 * or later if more was done; submitted 0: nobody said, so that it is what was done.
 */
static __always_inline void late_range(struct e4d_slot *w, struct kiocb *iocb, __u64 pos,
                                       __s64 size)
{
	struct e4d_record *r = &w->rec;
	__u64 end = r->offset + r->submitted, done = pos + (size > 0 ? size : 0);
	__u32 was = r->submitted;

	if (w->iocb)
		return;
	init_flags(w, LOAD(iocb, ki_flags), !LOAD(iocb, ki_complete));
	if (was && pos > r->offset)
		pos = r->offset;
	if (!was || done > end)
		end = done;
	set_range(w, pos, end - pos, r->isize_before);
	if (!cfg.extend_only) /* the rest of what its begin counted */
		count(E4D_C_INSIDE_BYTES, (__s64)was - r->submitted);
}

/* ->end_io has run: what it was given, and i_size as it left it. */
static __always_inline void write_end_io(struct e4d_slot *w, struct inode *inode, __s64 size,
                                         __s32 error)
{
	struct e4d_record *r = &w->rec;

	r->dio_error = error;
	r->seen |= E4D_SEEN_END_IO;
	if (size >= 0) {
		r->dio_size = size > 0xffffffffLL ? 0xffffffff : size;
		r->seen |= E4D_SEEN_DIO_SIZE;
	}
	w->isize = k_isize(inode);
	w->isize_end = w->isize;
	w->phase = E4D_PHASE_DONE;
	if (w->live > e4d_up(w->isize, r->blkbits))
		r->seen |= E4D_SEEN_SHORT_PAST;
	exposure_check(w, inode, w->live);
	sample_inode(w, inode);
}

/* Completed in a context that is not the submitter's: queued, and over. */
static __always_inline void write_completed_async(struct e4d_slot *w, __u64 key)
{
	struct e4d_record *r = &w->rec;

	r->flags |= E4D_F_ASYNC;
	r->ret = r->dio_error ? r->dio_error : (__s32)r->dio_size;
	if (r->seen & E4D_SEEN_DIO_SIZE)
		r->seen |= E4D_SEEN_RET;
	if (r->offset + r->dio_size > r->isize_before && r->dio_size)
		r->flags |= E4D_F_ASYNC_EXTEND;
	if (submitter_may_trim(w, key))
		r->doubt |= E4D_DOUBT_HALF;
	finish(w, key);
}

/*
 * Queued, begun late: no completion will find it. It was inside EOF for its
 * begin, so that what it left past EOF is left for good.
 */
static __always_inline void write_queued_late(struct e4d_slot *w, __u64 key)
{
	w->rec.flags |= E4D_F_ASYNC;
	w->rec.evidence = E4D_INFERRED;
	finish(w, key);
}

SLOW int truncate_enter(struct inode *inode)
{
	struct e4d_slot *w = current_write(inode);

	generation_bump(inode);
	if (!w)
		return 0;
	w->generation++;
	if (e4d_waits(w))
		w->event_ns = 0;
	w->rec.trim_from = k_isize(inode);
	w->rec.seen |= E4D_SEEN_TRIM;
	w->cut = E4D_NO_CUT;
	w->truncating = 1;
	exposure_check(w, inode, w->live);
	return 0;
}

/*
 * The extent tree below block `lblk` stays; what is above has gone (in the
 * tracepoint tier: is about to go).
 */
SLOW int space_removed(struct inode *inode, __u32 lblk)
{
	struct e4d_slot *w = current_write(inode);
	__u64 from;

	generation_bump(inode);
	if (!w)
		return 0;
	w->generation++;
	from = (__u64)lblk << (w->rec.blkbits & 31);
	if (from < w->cut)
		w->cut = from;
	return 0;
}

/*
 * The orphan list has changed. A truncate takes the entry off itself when the
 * blocks are gone, in the same transaction.
 */
SLOW int orphan_changed(struct inode *inode)
{
	struct e4d_slot *w = current_write(inode);
	__u64 live;

	if (!w)
		return 0;
	live = w->live;
	if (w->truncating) {
		__u64 cut = w->cut;

		if (cut == E4D_NO_CUT && !k_has_extents(inode))
			cut = e4d_up(w->rec.trim_from, w->rec.blkbits);
		live = cut < live ? cut : live;
	}
	exposure_check(w, inode, live);
	return 0;
}

/*
 * Did the truncate work? The extent tree tells where it really cut, which may be
 * all of it though an error came after.
 */
static __always_inline bool truncate_worked(struct e4d_slot *w, struct inode *inode)
{
	if ((w->rec.seen & E4D_SEEN_TRIM_RET) && w->rec.trim_ret < 0) {
		if (k_has_ext4_inode() && !k_has_extents(inode))
			w->rec.doubt |= E4D_DOUBT_HALF; /* nothing tells */
		return w->cut != E4D_NO_CUT;
	}
	if (k_has_ext4_inode()) {
		if (LOAD(inode, i_nlink) && k_on_orphan_list(inode))
			return false;
		if (w->cut == E4D_NO_CUT && k_has_extents(inode))
			return false;
	}
	return true;
}

static __always_inline struct e4d_slot *truncate_exit(struct inode *inode, bool has_ret, __s32 ret)
{
	struct e4d_slot *w = current_write(inode);
	struct e4d_record *r;
	__u64 to;

	if (!w)
		return NULL;
	r = &w->rec;
	if (has_ret) {
		r->trim_ret = ret;
		r->seen |= E4D_SEEN_TRIM_RET;
	}
	w->truncating = 0;
	isize_now(w, inode);
	to = w->cut != E4D_NO_CUT ? w->cut : e4d_up(r->trim_from, r->blkbits);
	if (truncate_worked(w, inode)) {
		if (to < w->live) {
			cut_runs(w, to);
			r->seen |= E4D_SEEN_TRIM_CUT;
		}
		if (to < w->cut_low)
			w->cut_low = to;
		if (to < e4d_up(r->trim_from, r->blkbits))
			r->flags |= E4D_F_OVERTRIM;
		if (w->live > e4d_up(w->isize, r->blkbits))
			r->seen |= E4D_SEEN_TRIM_BAD;
	} else {
		r->seen |= E4D_SEEN_TRIM_BAD;
	}
	exposure_check(w, inode, w->live);
	sample_inode(w, inode);
	return w;
}

/*
 * What the record says of the inode when the write is over. The lock is gone:
 * another writer's orphan entry or blocks may be what is seen now, so that only
 * what was there before, too, counts.
 */
static __always_inline void inode_at_exit(struct e4d_slot *w, struct inode *inode)
{
	struct e4d_record *r = &w->rec;
	bool sampled = r->seen & E4D_SEEN_ORPHAN, orphan = r->flags & E4D_F_ORPHAN;
	__u64 prealloc = r->prealloc;

	isize_now(w, inode);
	exposure_check(w, inode, w->live);
	if (sampled && !orphan && !prealloc)
		return;
	sample_inode(w, inode);
	if (!sampled)
		return;
	if (!orphan)
		r->flags &= ~E4D_F_ORPHAN;
	if (prealloc < r->prealloc)
		r->prealloc = prealloc;
}

/*
 * What the buffered fallback did, from what the whole write returned: ext4 adds
 * the two up, and goes on buffered whenever the direct part was short.
 */
static __always_inline void fallback_from(struct e4d_slot *w, __s64 ret)
{
	struct e4d_record *r = &w->rec;
	__s64 done = (r->seen & E4D_SEEN_DIO_SIZE) ? r->dio_size : 0;

	if (!(r->seen & (E4D_SEEN_END_IO | E4D_SEEN_MAP))) {
		/* never direct: what was allocated, the page cache asked for */
		w->live = 0;
		w->exposed_since = 0;
		__builtin_memset(w->runs, 0, sizeof(w->runs));
		r->exposed_ns = 0;
		r->alloc_end = 0;
		r->mapped_end = 0;
		r->flags &= ~E4D_F_NEW;
		if (ret <= 0)
			return;
	} else if (r->dio_error || w->end_io_failed || done >= r->submitted) {
		return;
	}
	r->fallback = ret < 0 ? ret : ret - done;
	r->seen |= E4D_SEEN_FALLBACK;
}

/* Is it this iocb's? One that began late does not know its own. */
static __always_inline bool is_of(const struct e4d_slot *w, struct kiocb *iocb)
{
	return w->iocb ? w->iocb == k_id(iocb) : w->inode == k_id(k_inode(iocb));
}

/* Is nothing followed that may be this iocb's? */
static __always_inline bool nothing_of(const struct kiocb *iocb)
{
	return !busy(iocb) && !shared.strays;
}

/* The write returns to its caller (fentry and kprobe tiers). False: none was followed. */
static __always_inline bool write_exit(struct inode *inode, __s64 ret)
{
	__u64 tkey = thread_key(), key;
	struct e4d_slot *t = slot_find(tkey), *w;
	bool lost;

	if (!t)
		return false;
	if (t->phase == E4D_PHASE_STRAY) {
		discard(t, tkey);
		return false;
	}
	w = slot_follow(t);
	key = t->link ? t->link : tkey;
	lost = t->depth != 0;
	if (t->link)
		slot_free(t, tkey);
	if (!w)
		return true; /* queued, and completed elsewhere meanwhile */
	if (w->inode != k_id(inode) || lost)
		w->rec.doubt |= E4D_DOUBT_HALF;
	if (ret == -EIOCBQUEUED) {
		if (w->own_end_io)
			write_completed_async(w, key);
		else if (!w->iocb)
			write_queued_late(w, key);
		return true; /* else its completion finishes it */
	}
	if (!w->iocb && ret > (__s64)w->rec.submitted) /* late_range() knew no better */
		w->rec.submitted = ret;
	w->rec.ret = ret;
	w->rec.seen |= E4D_SEEN_RET;
	fallback_from(w, ret);
	inode_at_exit(w, inode);
	finish(w, key);
	return true;
}

/*
 * Finds the write of an iocb at its completion; *submitter: this thread is
 * still inside the submission.
 */
static __always_inline struct e4d_slot *completed_write(struct kiocb *iocb, bool *submitter)
{
	struct e4d_slot *t = slot_find(thread_key());

	*submitter = false;
	if (t && t->phase == E4D_PHASE_STRAY)
		t = NULL;
	if (!LOAD(iocb, ki_complete)) {
		*submitter = true;
		return t && is_of(t, iocb) ? t : NULL; /* never queued */
	}
	if (t && !t->link && !t->iocb && is_of(t, iocb)) {
		*submitter = true;
		t->own_end_io = 1;
		return t;
	}
	if (t && t->link == k_id(iocb))
		*submitter = true;
	t = slot_find(k_id(iocb));
	if (t && *submitter)
		t->own_end_io = 1;
	return t;
}

#endif
