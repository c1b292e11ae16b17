/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The tracepoint tier before 6.6: no begin, no completion, no iocb. A write
 * begins at its first mapping and waits for the thread's next step. i_size is
 * read when the inode is marked dirty, which ext4 does after it moved i_size.
 * What can be said: new blocks past i_size, and no truncate that worked.
 */
#ifndef E4D_BLIND_BPF_H
#define E4D_BLIND_BPF_H

#include "core.bpf.h"

SLOW int blind_begin(struct inode *inode, __u64 pos, __u64 len)
{
	__u64 id = bpf_get_current_pid_tgid(), tkey = key_of(id);
	__u32 submitted = len > 0xffffffff ? 0xffffffff : len;
	struct e4d_slot *t;

	if (!wanted(inode, id >> 32))
		return 0;
	t = slot_find(tkey);
	if (t)
		close_open(t, tkey);
	if (pos + len <= k_isize(inode) && (!cfg.all || cfg.extend_only)) {
		if (cfg.files && !cfg.extend_only)
			begin_to_sums(inode, submitted);
		else
			count_unfollowed(submitted, 1);
		return 0;
	}
	count(E4D_C_WRITES, 1);
	t = slot_claim(tkey);
	if (!t) {
		count(E4D_C_STATE_FULL, 1);
		return 0;
	}
	init_state(t, 0, k_id(inode));
	init_record(t, inode, id);
	set_range(t, pos, submitted, k_isize(inode));
	t->event_ns = t->rec.ts_ns;
	t->rec.seq = new_seq();
	t->call = k_call_id();
	k_comm(t->rec.comm);
	t->phase = E4D_PHASE_BLIND;
	count(E4D_C_PENDING, 1);
	return 0;
}

static __always_inline bool is_dio_write(unsigned int flags)
{
	return (flags & (IOMAP_WRITE | IOMAP_DIRECT)) == (IOMAP_WRITE | IOMAP_DIRECT);
}

/* 5.15 to 6.5: an iterator that has no mapping yet is a new write. */
SEC("?tp_btf/iomap_iter")
int BPF_PROG(tp_iomap_iter, struct iomap_iter *iter)
{
	struct inode *inode = LOAD(iter, inode);

	if (is_dio_write(LOAD(iter, flags)) && !LOAD(iter, iomap.length) && k_is_ext4(inode))
		return blind_begin(inode, LOAD(iter, pos), LOAD(iter, len));
	return 0;
}

/*
 * 5.5 to 5.14: the same end and a later position go on with the same write, if
 * nobody removed blocks meanwhile; the writer holds the lock against that.
 */
SEC("?tp_btf/iomap_apply")
int BPF_PROG(tp_iomap_apply, struct inode *inode, loff_t pos, loff_t length, unsigned int flags)
{
	struct e4d_slot *w;
	__u32 *g;

	if (!is_dio_write(flags) || !k_is_ext4(inode))
		return 0;
	w = current_write(inode);
	g = generation(k_id(inode));
	if (w && w->phase == E4D_PHASE_BLIND && g && *g == w->generation &&
	    (__u64)pos > w->rec.offset && (__u64)pos + length == w->rec.offset + w->rec.submitted)
		return 0;
	return blind_begin(inode, pos, length);
}

SEC("?tp_btf/iomap_apply_dstmap")
int BPF_PROG(tp_apply_dstmap, struct inode *inode, struct iomap *iomap)
{
	return busy(inode) ? mapping_slow(inode, iomap) : 0;
}

/*
 * A write moves i_size no farther than its own end: beyond that it is what the
 * thread does next (an io_uring worker has no system call to tell the two by).
 */
SLOW int dirty_slow(struct inode *inode)
{
	struct e4d_slot *w = current_write(inode);

	if (!w || w->phase != E4D_PHASE_BLIND)
		return 0;
	if (k_isize(inode) > w->isize && k_isize(inode) > w->rec.offset + w->rec.submitted) {
		close_write(w, thread_key());
		return 0;
	}
	if (!w->truncating) /* else event_ns stays 0: not to be settled half way */
		w->event_ns = bpf_ktime_get_boot_ns();
	isize_now(w, inode);
	if (w->isize > w->isize_end) /* where a later shrink is another's */
		w->isize_end = w->isize;
	orphan_changed(inode);
	sample_inode(w, inode); /* the last one counts: the writer holds the lock */
	return 0;
}

SEC("?tp_btf/ext4_mark_inode_dirty")
int BPF_PROG(tp_mark_inode_dirty, struct inode *inode)
{
	return inode && busy(inode) ? dirty_slow(inode) : 0;
}

#endif
