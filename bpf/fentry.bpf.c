// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The fentry/fexit tier: every step is seen. */
#define E4D_TIER E4D_TIER_FENTRY
#include "mapping.bpf.h"
#include "exit.bpf.h"

static __always_inline int enter(struct kiocb *iocb, struct iov_iter *from, bool timed)
{
	if (LOAD(iocb, ki_flags) & IOCB_DIRECT)
		write_begin(iocb, k_inode(iocb), LOAD(from, count), timed);
	return 0;
}

/* 1: a followed write's. */
SLOW int leave_slow(struct kiocb *iocb, __s64 ret)
{
	return write_exit(k_inode(iocb), ret);
}

/* One that is not whole has more to tell than a plain record. */
SLOW int leave_plain(struct kiocb *iocb, struct e4d_plain *p, __s64 ret)
{
	struct inode *inode = k_inode(iocb);

	if (ret == p->submitted && (p->seen & E4D_SEEN_END_IO))
		plain_end(iocb, p, inode, ret, bpf_ktime_get_boot_ns());
	else if (follow_plain(p, inode))
		write_exit(inode, ret);
	return 0;
}

SLOW int leave_all(struct kiocb *iocb, __s64 ret)
{
	struct e4d_plain *p;

	if (!nothing_of(iocb) && leave_slow(iocb, ret))
		return 0;
	p = plain_at(k_id(iocb));
	return p->iocb == k_id(iocb) ? leave_plain(iocb, p, ret) : 0;
}

static __always_inline int leave(struct kiocb *iocb, __s64 ret)
{
	if (cfg.all)
		return leave_all(iocb, ret);
	if (!nothing_of(iocb))
		leave_slow(iocb, ret);
	return 0;
}

/* 1: a followed write's. */
SLOW int leave_followed(struct kiocb *iocb, __s64 ret)
{
	if (!leave_slow(iocb, ret))
		return 0;
	timed_drop(iocb);
	return 1;
}

static __always_inline int leave_timed(struct kiocb *iocb, __s64 ret)
{
	struct e4d_plain *p;

	if (!nothing_of(iocb) && leave_followed(iocb, ret))
		return 0;
	p = plain_at(k_id(iocb));
	if (p->iocb == k_id(iocb) && ret != -EIOCBQUEUED)
		timed_end(iocb, p, ret);
	return 0;
}

SEC("?fentry/ext4_dio_write_iter")
int BPF_PROG(fe_dio_write_iter, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from, false);
}

SEC("?fexit/ext4_dio_write_iter")
int BPF_PROG(fx_dio_write_iter, struct kiocb *iocb, struct iov_iter *from, ssize_t ret)
{
	return leave(iocb, ret);
}

SEC("?fentry/ext4_dio_write_iter")
int BPF_PROG(fe_dio_write_iter_timed, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from, true);
}

SEC("?fexit/ext4_dio_write_iter")
int BPF_PROG(fx_dio_write_iter_timed, struct kiocb *iocb, struct iov_iter *from, ssize_t ret)
{
	return leave_timed(iocb, ret);
}

SEC("?fentry/ext4_file_write_iter")
int BPF_PROG(fe_file_write_iter, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from, false);
}

SEC("?fexit/ext4_file_write_iter")
int BPF_PROG(fx_file_write_iter, struct kiocb *iocb, struct iov_iter *from, ssize_t ret)
{
	return leave(iocb, ret);
}

SEC("?fentry/ext4_file_write_iter")
int BPF_PROG(fe_file_write_iter_timed, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from, true);
}

SEC("?fexit/ext4_file_write_iter")
int BPF_PROG(fx_file_write_iter_timed, struct kiocb *iocb, struct iov_iter *from, ssize_t ret)
{
	return leave_timed(iocb, ret);
}

/* A write to a DAX inode is direct without the flag. */
SEC("?fentry/dax_iomap_rw")
int BPF_PROG(fe_dax_rw, struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = k_inode(iocb);

	if (!(LOAD(iocb, ki_flags) & IOCB_DIRECT) && k_is_write(iter) && k_is_ext4(inode))
		begin_slow(iocb, inode, LOAD(iter, count));
	return 0;
}

SLOW int mapping_plain(struct inode *inode, struct iomap *iomap)
{
	struct e4d_plain *p = plain_of(bpf_get_current_pid_tgid(), k_id(inode));

	if (p)
		plain_mapped(p, iomap);
	return 0;
}

SLOW int mapping_slow(struct inode *inode, __u64 pos, __u64 len, struct iomap *iomap, int ret)
{
	struct e4d_slot *w = current_write(inode);

	if (!w && pos + len > k_isize(inode))
		w = cfg.all ? current_any(inode) : begin_late(inode, pos, len);
	if (!w && ret >= 0)
		mapping_plain(inode, iomap);
	if (!w)
		return 0;
	if (w->phase == E4D_PHASE_STRAY)
		adopt_stray(w, inode, pos, len);
	write_range(w, inode, pos, len);
	if (ret >= 0)
		write_mapped(w, iomap);
	return 0;
}

static __always_inline int mapping_done(struct inode *inode, __u64 pos, __u64 len,
                                        unsigned int flags, struct iomap *iomap, int ret)
{
	if ((flags & IOMAP_WRITE) && (busy(inode) || pos + len > k_isize(inode)))
		mapping_slow(inode, pos, len, iomap, ret);
	else if (cfg.all && ret >= 0)
		mapping_plain(inode, iomap);
	return 0;
}

SEC("?fexit/ext4_iomap_begin")
int BPF_PROG(fx_iomap_begin, struct inode *inode, loff_t offset, loff_t length, unsigned int flags,
             struct iomap *iomap, struct iomap *srcmap, int ret)
{
	return mapping_done(inode, offset, length, flags, iomap, ret);
}

SEC("?fexit/ext4_iomap_overwrite_begin")
int BPF_PROG(fx_overwrite_begin, struct inode *inode, loff_t offset, loff_t length,
             unsigned int flags, struct iomap *iomap, struct iomap *srcmap, int ret)
{
	return mapping_done(inode, offset, length, flags, iomap, ret);
}

/* 1: a followed write's. */
SLOW int end_io_slow(struct kiocb *iocb, __s64 size, int error, bool failed)
{
	struct e4d_slot *w;
	bool submitter;

	w = completed_write(iocb, &submitter);
	if (!w)
		return 0;
	late_range(w, iocb, LOAD(iocb, ki_pos), size);
	w->end_io_failed = failed;
	write_end_io(w, k_inode(iocb), size, error);
	if (!submitter)
		write_completed_async(w, k_id(iocb));
	return 1;
}

SLOW int end_io_all(struct kiocb *iocb, __s64 size, int error, int ret)
{
	struct e4d_plain *p;

	if (!nothing_of(iocb) && end_io_slow(iocb, size, error, ret < 0))
		return 0;
	p = plain_at(k_id(iocb));
	if (p->iocb == k_id(iocb))
		plain_end_io(p, size, error ? error : ret < 0 ? ret : 0);
	return 0;
}

SEC("?fexit/ext4_dio_write_end_io")
int BPF_PROG(fx_end_io, struct kiocb *iocb, ssize_t size, int error, unsigned int flags, int ret)
{
	if (cfg.all)
		return end_io_all(iocb, size, error, ret);
	if (!nothing_of(iocb))
		end_io_slow(iocb, size, error, ret < 0);
	return 0;
}

/* A synchronous write's time ends with its return. */
SEC("?fexit/ext4_dio_write_end_io")
int BPF_PROG(fx_end_io_timed, struct kiocb *iocb, ssize_t size, int error, unsigned int flags,
             int ret)
{
	struct e4d_plain *p;

	if (!nothing_of(iocb) && end_io_slow(iocb, size, error, ret < 0))
		return 0;
	if (!LOAD(iocb, ki_complete))
		return 0;
	p = plain_at(k_id(iocb));
	if (p->iocb == k_id(iocb))
		timed_end(iocb, p, error ? error : size);
	return 0;
}

SEC("?fentry/ext4_truncate")
int BPF_PROG(fe_truncate, struct inode *inode)
{
	return busy(inode) ? truncate_enter(inode) : 0;
}

SEC("?fexit/ext4_truncate")
int BPF_PROG(fx_truncate, struct inode *inode, int ret)
{
	if (busy(inode))
		truncate_exit(inode, true, ret);
	return 0;
}

SEC("?fexit/ext4_ext_remove_space")
int BPF_PROG(fx_remove_space, struct inode *inode, __u32 start, __u32 end, int ret)
{
	return !ret && busy(inode) ? space_removed(inode, start) : 0;
}

SEC("?fexit/ext4_orphan_add")
int BPF_PROG(fx_orphan_add, void *handle, struct inode *inode)
{
	return busy(inode) ? orphan_changed(inode) : 0;
}

SEC("?fexit/ext4_orphan_del")
int BPF_PROG(fx_orphan_del, void *handle, struct inode *inode)
{
	return busy(inode) ? orphan_changed(inode) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
