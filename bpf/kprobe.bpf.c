// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The kprobe/kretprobe tier: the fentry tier's functions, with a return's
 * arguments kept from its entry on a small stack in the thread's slot. A
 * return that was missed leaves the stack unbalanced, and the write `unknown`.
 * The block mapping tells by its tracepoints, as in the other tiers: kprobes on
 * ext4_map_blocks would be reached twice by an overwrite, and by every read.
 */
#define E4D_PROBE_READ
#define E4D_TIER E4D_TIER_KPROBE
#include "mapping.bpf.h"
#include "exit.bpf.h"

enum fn {
	FN_WRITE = 1,
	FN_BEGIN,
	FN_OVERWRITE,
	FN_END_IO,
	FN_TRUNCATE,
	FN_REMOVE,
	FN_ORPHAN,
};

/* t: the thread's slot, or NULL. */
static __always_inline void push(struct e4d_slot *t, enum fn fn, __u64 a, __u64 b)
{
	struct e4d_slot *w;
	__u32 d;

	if (!t)
		return;
	d = t->depth;
	if (d < E4D_CALLS) {
		t->calls[d].fn = fn;
		t->calls[d].arg[0] = a;
		t->calls[d].arg[1] = b;
	} else {
		count(E4D_C_STACK_FULL, 1);
		w = slot_follow(t);
		if (w)
			w->rec.doubt |= E4D_DOUBT_LOST;
	}
	t->depth = d + 1;
}

/*
 * NULL: not ours, or the entry on top is another function's: one of the two was
 * missed, and what it would have told is not known. end_io alone may come
 * without an entry: an interrupt over another write's thread.
 */
static __always_inline struct e4d_call *pop(struct e4d_slot *t, enum fn fn)
{
	struct e4d_slot *w;
	__u32 d;

	if (!t || !t->depth)
		return NULL;
	d = t->depth - 1;
	if (d >= E4D_CALLS) {
		t->depth = d;
		return NULL;
	}
	if (t->calls[d].fn != fn) {
		w = fn == FN_END_IO ? NULL : slot_follow(t);
		if (w)
			w->rec.doubt |= E4D_DOUBT_HALF;
		return NULL;
	}
	t->depth = d;
	return &t->calls[d];
}

/* Has the thread a slot? A return knows nothing but its thread. */
static __always_inline bool thread_busy(__u64 id)
{
	return shared.busy[e4d_busy_at((__u32)id)];
}

SLOW int close_slow(void)
{
	__u64 tkey = thread_key();
	struct e4d_slot *t = slot_find(tkey);

	if (t)
		close_open(t, tkey);
	return 0;
}

SLOW int push_slow(enum fn fn, __u64 a, __u64 b)
{
	push(slot_find(thread_key()), fn, a, b);
	return 0;
}

static __always_inline int enter(struct kiocb *iocb, struct iov_iter *from, bool timed)
{
	struct inode *inode = k_inode(iocb);

	/* this write's return may not end one whose own was missed */
	if (thread_busy(bpf_get_current_pid_tgid()))
		close_slow();
	if (!(LOAD(iocb, ki_flags) & IOCB_DIRECT) && !(LOAD(inode, i_flags) & S_DAX))
		return 0;
	write_begin(iocb, inode, LOAD(from, count), timed);
	if (!nothing_of(iocb))
		push_slow(FN_WRITE, (__u64)inode, 0);
	return 0;
}

SLOW int leave_slow(__u64 id, long ret)
{
	struct e4d_slot *t = slot_find(key_of(id));
	struct e4d_call *c = pop(t, FN_WRITE);

	if (c)
		write_exit((struct inode *)c->arg[0], ret);
	else if (t && t->phase == E4D_PHASE_STRAY)
		discard(t, key_of(id));
	else if (t) /* a return inside was missed: the next begin closes it half seen */
		count(E4D_C_STALE, 1);
	return 0;
}

static __always_inline int leave(long ret)
{
	__u64 id = bpf_get_current_pid_tgid();

	return thread_busy(id) ? leave_slow(id, ret) : 0;
}

SEC("?kprobe/ext4_dio_write_iter")
int BPF_KPROBE(kp_dio_write_iter, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from, false);
}

SEC("?kprobe/ext4_dio_write_iter")
int BPF_KPROBE(kp_dio_write_iter_timed, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from, true);
}

SEC("?kretprobe/ext4_dio_write_iter")
int BPF_KRETPROBE(kr_dio_write_iter, long ret)
{
	return leave(ret);
}

SEC("?kprobe/ext4_file_write_iter")
int BPF_KPROBE(kp_file_write_iter, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from, false);
}

SEC("?kprobe/ext4_file_write_iter")
int BPF_KPROBE(kp_file_write_iter_timed, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from, true);
}

SEC("?kretprobe/ext4_file_write_iter")
int BPF_KRETPROBE(kr_file_write_iter, long ret)
{
	return leave(ret);
}

SLOW int mapping_enter_slow(enum fn fn, struct inode *inode, __u64 pos, __u64 len,
                            struct iomap *iomap)
{
	struct e4d_slot *w = current_write(inode);

	if (w && w->phase == E4D_PHASE_STRAY)
		return 0; /* from the mapping before: its return took it over, or nobody does */
	if (!w) {
		w = begin_late(inode, pos, len);
		push(w, FN_WRITE, (__u64)inode, 0);
	}
	if (!w)
		return 0;
	write_range(w, inode, pos, len);
	push(slot_find(thread_key()), fn, (__u64)inode, (__u64)iomap);
	return 0;
}

SLOW int mapping_enter_nested(enum fn fn, struct inode *inode, struct iomap *iomap)
{
	struct e4d_slot *w = current_write(inode);

	if (w && w->phase != E4D_PHASE_STRAY)
		push(slot_find(thread_key()), fn, (__u64)inode, (__u64)iomap);
	return 0;
}

/*
 * Without IOMAP_WRITE: a read, or ext4_iomap_overwrite_begin's call where it is not inlined.
 * The return comes in either case.
 */
static __always_inline int mapping_enter(enum fn fn, struct inode *inode, __u64 pos, __u64 len,
                                         unsigned int flags, struct iomap *iomap)
{
	if (!(flags & IOMAP_WRITE))
		return busy(inode) ? mapping_enter_nested(fn, inode, iomap) : 0;
	if (busy(inode) || pos + len > k_isize(inode))
		mapping_enter_slow(fn, inode, pos, len, iomap);
	return 0;
}

/*
 * Blocks past EOF, and the return of the direct mapping that allocated them. The
 * range is not known before the completion: late_range().
 */
static __always_inline void take_over(struct e4d_slot *t)
{
	struct inode *inode = (struct inode *)t->calls[0].arg[0];

	if (t->call != k_call_id())
		return;
	adopt_stray(t, inode, t->runs[0].start, 0);
	push(t, FN_WRITE, (__u64)inode, 0);
}

SLOW int mapping_leave_slow(__u64 id, enum fn fn, int ret)
{
	struct e4d_slot *t = slot_find(key_of(id)), *w;
	struct e4d_call *c;

	if (t && t->phase == E4D_PHASE_STRAY) {
		take_over(t);
		return 0;
	}
	c = pop(t, fn);
	if (!c || ret < 0)
		return 0;
	w = current_write((struct inode *)c->arg[0]);
	if (w)
		write_mapped(w, (struct iomap *)c->arg[1]);
	return 0;
}

static __always_inline int mapping_leave(enum fn fn, int ret)
{
	__u64 id = bpf_get_current_pid_tgid();

	return thread_busy(id) ? mapping_leave_slow(id, fn, ret) : 0;
}

SEC("?kprobe/ext4_iomap_begin")
int BPF_KPROBE(kp_iomap_begin, struct inode *inode, loff_t offset, loff_t length,
               unsigned int flags, struct iomap *iomap)
{
	return mapping_enter(FN_BEGIN, inode, offset, length, flags, iomap);
}

SEC("?kretprobe/ext4_iomap_begin")
int BPF_KRETPROBE(kr_iomap_begin, int ret)
{
	return mapping_leave(FN_BEGIN, ret);
}

SEC("?kprobe/ext4_iomap_overwrite_begin")
int BPF_KPROBE(kp_overwrite_begin, struct inode *inode, loff_t offset, loff_t length,
               unsigned int flags, struct iomap *iomap)
{
	return mapping_enter(FN_OVERWRITE, inode, offset, length, flags, iomap);
}

SEC("?kretprobe/ext4_iomap_overwrite_begin")
int BPF_KRETPROBE(kr_overwrite_begin, int ret)
{
	return mapping_leave(FN_OVERWRITE, ret);
}

/* 1: a followed write's. A completion elsewhere: the worker's slot links to it meanwhile. */
SLOW int end_io_enter_slow(struct kiocb *iocb, __s64 size, int error)
{
	struct e4d_slot *w, *t;
	struct inode *inode;
	bool submitter;
	__u64 tkey;

	w = completed_write(iocb, &submitter);
	if (!w)
		return 0;
	timed_drop(iocb);
	inode = k_inode(iocb);
	tkey = thread_key();
	t = slot_find(tkey);
	if (!submitter) {
		write_end_io(w, inode, size, error);
		if (t && !slot_follow(t)) { /* left by a return that was missed */
			slot_free(t, tkey);
			t = NULL;
		}
		t = t ? NULL : slot_claim(tkey);
		if (!t) { /* in an interrupt over another write: settle here */
			write_completed_async(w, k_id(iocb));
			return 1;
		}
		init_state(t, w->iocb, w->inode);
		t->link_seq = w->rec.seq;
		t->link = k_id(iocb);
	}
	late_range(w, iocb, LOAD(iocb, ki_pos), size);
	w->rec.dio_size = size;
	w->rec.dio_error = error;
	push(t, FN_END_IO, (__u64)inode, !submitter);
	return 1;
}

SEC("?kprobe/ext4_dio_write_end_io")
int BPF_KPROBE(kp_end_io, struct kiocb *iocb, ssize_t size, int error)
{
	if (!nothing_of(iocb))
		end_io_enter_slow(iocb, size, error);
	return 0;
}

SEC("?kprobe/ext4_dio_write_end_io")
int BPF_KPROBE(kp_end_io_timed, struct kiocb *iocb, ssize_t size, int error)
{
	struct e4d_plain *p;

	if (!nothing_of(iocb) && end_io_enter_slow(iocb, size, error))
		return 0;
	p = plain_at(k_id(iocb));
	if (p->iocb == k_id(iocb))
		timed_end(iocb, p, error ? error : size);
	return 0;
}

SLOW int end_io_leave_slow(__u64 id, long ret)
{
	__u64 tkey = key_of(id);
	struct e4d_slot *t = slot_find(tkey), *w;
	struct e4d_call *c = pop(t, FN_END_IO);
	struct inode *inode;
	bool async;

	if (!c)
		return 0;
	inode = (struct inode *)c->arg[0];
	async = c->arg[1];
	w = current_write(inode);
	if (w) {
		w->end_io_failed = ret < 0;
		write_end_io(w, inode, w->rec.dio_size, w->rec.dio_error);
	}
	if (!async)
		return 0;
	if (t)
		slot_free(t, tkey);
	if (w)
		write_completed_async(w, w->iocb);
	return 0;
}

SEC("?kretprobe/ext4_dio_write_end_io")
int BPF_KRETPROBE(kr_end_io, long ret)
{
	__u64 id = bpf_get_current_pid_tgid();

	return thread_busy(id) ? end_io_leave_slow(id, ret) : 0;
}

SEC("?kprobe/ext4_truncate")
int BPF_KPROBE(kp_truncate, struct inode *inode)
{
	if (busy(inode)) {
		truncate_enter(inode);
		push_slow(FN_TRUNCATE, (__u64)inode, 0);
	}
	return 0;
}

SLOW int truncate_leave_slow(__u64 id, int ret)
{
	struct e4d_call *c = pop(slot_find(key_of(id)), FN_TRUNCATE);

	if (c)
		truncate_exit((struct inode *)c->arg[0], true, ret);
	return 0;
}

SEC("?kretprobe/ext4_truncate")
int BPF_KRETPROBE(kr_truncate, int ret)
{
	__u64 id = bpf_get_current_pid_tgid();

	return thread_busy(id) ? truncate_leave_slow(id, ret) : 0;
}

SLOW int remove_enter_slow(struct inode *inode, __u32 start)
{
	if (current_write(inode))
		push(slot_find(thread_key()), FN_REMOVE, (__u64)inode, start);
	else
		generation_bump(inode);
	return 0;
}

SEC("?kprobe/ext4_ext_remove_space")
int BPF_KPROBE(kp_remove_space, struct inode *inode, __u32 start)
{
	return busy(inode) ? remove_enter_slow(inode, start) : 0;
}

SLOW int remove_leave_slow(__u64 id, int ret)
{
	struct e4d_call *c = pop(slot_find(key_of(id)), FN_REMOVE);

	if (c && !ret)
		space_removed((struct inode *)c->arg[0], c->arg[1]);
	return 0;
}

SEC("?kretprobe/ext4_ext_remove_space")
int BPF_KRETPROBE(kr_remove_space, int ret)
{
	__u64 id = bpf_get_current_pid_tgid();

	return thread_busy(id) ? remove_leave_slow(id, ret) : 0;
}

SLOW int orphan_leave_slow(__u64 id)
{
	struct e4d_call *c = pop(slot_find(key_of(id)), FN_ORPHAN);

	if (c)
		orphan_changed((struct inode *)c->arg[0]);
	return 0;
}

static __always_inline int orphan_leave(void)
{
	__u64 id = bpf_get_current_pid_tgid();

	return thread_busy(id) ? orphan_leave_slow(id) : 0;
}

SEC("?kprobe/ext4_orphan_add")
int BPF_KPROBE(kp_orphan_add, void *handle, struct inode *inode)
{
	return busy(inode) ? push_slow(FN_ORPHAN, (__u64)inode, 0) : 0;
}

SEC("?kretprobe/ext4_orphan_add")
int BPF_KRETPROBE(kr_orphan_add)
{
	return orphan_leave();
}

SEC("?kprobe/ext4_orphan_del")
int BPF_KPROBE(kp_orphan_del, void *handle, struct inode *inode)
{
	return busy(inode) ? push_slow(FN_ORPHAN, (__u64)inode, 0) : 0;
}

SEC("?kretprobe/ext4_orphan_del")
int BPF_KRETPROBE(kr_orphan_del)
{
	return orphan_leave();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
