// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The tracepoint tier. The end of a write is not seen. From 6.6 there are a
 * begin and a completion (commit 3fd41721cd5c): a write with nothing left to
 * trim and nothing left to write is over at its completion; any other waits
 * (E4D_PHASE_PENDING) for the thread's next step, its death, or user space's
 * patience. What there is before 6.6 stands in blind.bpf.h.
 */
#define E4D_TIER E4D_TIER_TRACEPOINT
#include "mapping.bpf.h"
#include "exit.bpf.h"

/* A read: the write before it is over. */
SLOW int read_begins(void)
{
	__u64 tkey = thread_key();
	struct e4d_slot *t = slot_find(tkey);

	if (t)
		close_open(t, tkey);
	return 0;
}

static __always_inline int rw_begin(struct kiocb *iocb, struct iov_iter *iter, bool timed)
{
	struct inode *inode = k_inode(iocb);

	if (!k_is_ext4(inode))
		return 0;
	if (k_is_write(iter))
		return write_begin(iocb, inode, LOAD(iter, count), timed);
	return busy(inode) ? read_begins() : 0;
}

SEC("?tp_btf/iomap_dio_rw_begin")
int BPF_PROG(tp_dio_rw_begin, struct kiocb *iocb, struct iov_iter *iter)
{
	return rw_begin(iocb, iter, false);
}

SEC("?tp_btf/iomap_dio_rw_begin")
int BPF_PROG(tp_dio_rw_begin_timed, struct kiocb *iocb, struct iov_iter *iter)
{
	return rw_begin(iocb, iter, true);
}

SLOW int mapping_slow(struct inode *inode, struct iomap *iomap)
{
	struct e4d_plain *p = plain_of(bpf_get_current_pid_tgid(), k_id(inode));
	struct e4d_slot *w;

	if (p) {
		plain_mapped(p, iomap);
		return 0;
	}
	w = current_write(inode);
	if (!w)
		return 0;
	if (w->phase == E4D_PHASE_STRAY)
		adopt_stray(w, inode, LOAD(iomap, offset), 0);
	write_mapped(w, iomap);
	if (w->phase == E4D_PHASE_BLIND)
		w->event_ns = bpf_ktime_get_boot_ns();
	return 0;
}

SEC("?tp_btf/iomap_iter_dstmap")
int BPF_PROG(tp_iter_dstmap, struct inode *inode, struct iomap *iomap)
{
	return cfg.all || busy(inode) ? mapping_slow(inode, iomap) : 0;
}

SLOW int invalidate_slow(struct inode *inode)
{
	__u64 tkey = thread_key();
	struct e4d_slot *t;

	if (!current_any(inode))
		return 0;
	t = slot_find(tkey);
	if (t)
		close_open(t, tkey);
	return 0;
}

/* Invalidation failed before any mapping: the write goes on buffered. */
SEC("?tp_btf/iomap_dio_invalidate_fail")
int BPF_PROG(tp_invalidate_fail, struct inode *inode)
{
	return cfg.all || busy(inode) ? invalidate_slow(inode) : 0;
}

SLOW int queued_slow(struct inode *inode)
{
	__u64 tkey = thread_key();
	struct e4d_slot *t = slot_find(tkey);

	if (!t || t->inode != k_id(inode))
		return 0;
	if (t->link)
		slot_free(t, tkey);
	else if (!t->iocb && t->phase == E4D_PHASE_DIO)
		write_queued_late(t, tkey);
	return 0;
}

/* The submitter leaves a queued write behind. */
SEC("?tp_btf/iomap_dio_rw_queued")
int BPF_PROG(tp_dio_rw_queued, struct inode *inode)
{
	return busy(inode) ? queued_slow(inode) : 0;
}

static __always_inline void pend(struct e4d_slot *w)
{
	w->event_ns = bpf_ktime_get_boot_ns();
	w->rec.latency_ns = w->event_ns - w->rec.ts_ns;
	w->call = k_call_id();
	k_comm(w->rec.comm);
	w->phase = E4D_PHASE_PENDING;
	count(E4D_C_PENDING, 1);
}

static __always_inline void done_now(struct e4d_slot *w, __u64 key, struct inode *inode)
{
	__u64 tkey = thread_key();
	struct e4d_slot *t;

	inode_at_exit(w, inode);
	if (key != tkey) {
		t = slot_find(tkey);
		if (t && t->link == key)
			slot_free(t, tkey);
	}
	finish(w, key);
}

/* 1: a followed write's. */
SLOW int complete_slow(struct kiocb *iocb, int error, __s64 ret)
{
	struct inode *inode = k_inode(iocb);
	struct e4d_slot *w;
	bool submitter;
	__u64 key;

	w = completed_write(iocb, &submitter);
	if (!w || w->inode != k_id(inode))
		return 0;
	key = w->iocb && LOAD(iocb, ki_complete) ? k_id(iocb) : thread_key();
	if (e4d_waits(w)) { /* a write that is not followed has taken its place */
		close_write(w, key);
		return 0;
	}
	timed_drop(iocb);
	/* ki_pos has moved on by now */
	late_range(w, iocb, LOAD(iocb, ki_pos) - (ret > 0 ? ret : 0), ret);
	write_end_io(w, inode, ret, error ? error : ret < 0 ? (int)ret : 0);
	if (!submitter) {
		write_completed_async(w, key);
		return 1;
	}
	if (ret < 0 || ret >= w->rec.submitted) {
		w->rec.ret = ret;
		w->rec.seen |= E4D_SEEN_RET;
	}
	/* after an error all past EOF is trimmed, what others left there too */
	if ((w->rec.seen & E4D_SEEN_SHORT_PAST) || (ret >= 0 && ret < w->rec.submitted) ||
	    (ret < 0 && (w->rec.flags & E4D_F_EXTEND))) {
		inode_at_exit(w, inode);
		pend(w);
	} else {
		done_now(w, key, inode);
	}
	return 1;
}

/* A short one waits for its fallback, as a followed write. */
SLOW int complete_plain(struct kiocb *iocb, struct e4d_plain *p, int error, __s64 ret)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct inode *inode = k_inode(iocb);

	if (!error && ret >= 0 && ret < p->submitted) {
		if (follow_plain(p, inode))
			complete_slow(iocb, error, ret);
		return 0;
	}
	plain_end_io(p, ret, error ? error : ret < 0 ? (int)ret : 0);
	plain_end(iocb, p, inode, ret, now);
	return 0;
}

SLOW int complete_all(struct kiocb *iocb, int error, __s64 ret)
{
	struct e4d_plain *p;

	if (!nothing_of(iocb) && complete_slow(iocb, error, ret))
		return 0;
	p = plain_at(k_id(iocb));
	return p->iocb == k_id(iocb) ? complete_plain(iocb, p, error, ret) : 0;
}

SEC("?tp_btf/iomap_dio_complete")
int BPF_PROG(tp_dio_complete, struct kiocb *iocb, int error, ssize_t ret)
{
	if (cfg.all)
		return complete_all(iocb, error, ret);
	if (!nothing_of(iocb))
		complete_slow(iocb, error, ret);
	return 0;
}

SEC("?tp_btf/iomap_dio_complete")
int BPF_PROG(tp_dio_complete_timed, struct kiocb *iocb, int error, ssize_t ret)
{
	struct e4d_plain *p;

	if (!nothing_of(iocb) && complete_slow(iocb, error, ret))
		return 0;
	p = plain_at(k_id(iocb));
	if (p->iocb == k_id(iocb))
		timed_end(iocb, p, ret);
	return 0;
}

SEC("?tp_btf/ext4_truncate_enter")
int BPF_PROG(tp_truncate_enter, struct inode *inode)
{
	return inode && busy(inode) ? truncate_enter(inode) : 0;
}

SLOW int truncated_slow(struct inode *inode)
{
	struct e4d_slot *w = truncate_exit(inode, false, 0);

	if (!w || !e4d_waits(w))
		return 0;
	w->event_ns = bpf_ktime_get_boot_ns();
	inode_at_exit(w, inode);
	/* after an error nothing follows the trim */
	if (w->rec.dio_error < 0)
		done_now(w, (w->rec.flags & E4D_F_SYNC) || !w->iocb ? thread_key() : w->iocb,
		         inode);
	return 0;
}

SEC("?tp_btf/ext4_truncate_exit")
int BPF_PROG(tp_truncate_exit, struct inode *inode)
{
	return inode && busy(inode) ? truncated_slow(inode) : 0;
}

SEC("?tp_btf/ext4_ext_remove_space")
int BPF_PROG(tp_ext_remove_space, struct inode *inode, __u32 start)
{
	return inode && busy(inode) ? space_removed(inode, start) : 0;
}

/*
 * Writeback by the writer itself after a short write: the buffered fallback
 * (ext4_dio_write_iter waits for its pages) has moved i_size. By another thread:
 * noted, for where it left the writer's own nothing to write.
 */
SLOW int fallback_seen(struct inode *inode)
{
	struct e4d_record *r;
	struct e4d_slot *w;
	__u64 done, isize;

	w = current_write(inode);
	isize = k_isize(inode);
	if (!w) {
		struct e4d_moved *m = e4d_moved_of(&shared, k_id(inode));

		m->inode = k_id(inode);
		m->isize = isize;
		m->ns = bpf_ktime_get_boot_ns();
		return 0;
	}
	if (w->phase != E4D_PHASE_PENDING)
		return 0;
	r = &w->rec;
	w->event_ns = bpf_ktime_get_boot_ns();
	done = r->offset + r->dio_size;
	if (isize > done && done + 1 > r->isize_before) {
		__u64 n = isize - done, rest = r->submitted - r->dio_size;

		r->fallback = n < rest ? n : rest;
		r->ret = r->dio_size + r->fallback;
		r->seen |= E4D_SEEN_FALLBACK | E4D_SEEN_RET;
		r->evidence = E4D_INFERRED;
	}
	isize_now(w, inode);
	exposure_check(w, inode, w->live);
	return 0;
}

SEC("?tp_btf/ext4_writepages")
int BPF_PROG(tp_writepages, struct inode *inode)
{
	return inode && busy(inode) ? fallback_seen(inode) : 0;
}

SEC("?tp_btf/ext4_writepages_result")
int BPF_PROG(tp_writepages_result, struct inode *inode)
{
	return inode && busy(inode) ? fallback_seen(inode) : 0;
}

#include "blind.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
