// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The fentry/fexit tier: every step is seen. */
#define E4D_TIER E4D_TIER_FENTRY
#include "mapping.bpf.h"
#include "exit.bpf.h"

static __always_inline int enter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = k_inode(iocb);

	if ((LOAD(iocb, ki_flags) & IOCB_DIRECT) || (LOAD(inode, i_flags) & S_DAX))
		write_begin(iocb, inode, LOAD(from, count));
	return 0;
}

SEC("?fentry/ext4_dio_write_iter")
int BPF_PROG(fe_dio_write_iter, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from);
}

SEC("?fexit/ext4_dio_write_iter")
int BPF_PROG(fx_dio_write_iter, struct kiocb *iocb, struct iov_iter *from, ssize_t ret)
{
	write_exit(k_inode(iocb), ret);
	return 0;
}

SEC("?fentry/ext4_file_write_iter")
int BPF_PROG(fe_file_write_iter, struct kiocb *iocb, struct iov_iter *from)
{
	return enter(iocb, from);
}

SEC("?fexit/ext4_file_write_iter")
int BPF_PROG(fx_file_write_iter, struct kiocb *iocb, struct iov_iter *from, ssize_t ret)
{
	write_exit(k_inode(iocb), ret);
	return 0;
}

static __always_inline int mapping_done(struct inode *inode, loff_t offset, loff_t length,
                                        struct iomap *iomap, int ret)
{
	struct e4d_slot *w = current_write(inode);

	if (!w)
		return 0;
	write_range(w, inode, offset, length);
	if (ret >= 0)
		write_mapped(w, iomap);
	return 0;
}

SEC("?fexit/ext4_iomap_begin")
int BPF_PROG(fx_iomap_begin, struct inode *inode, loff_t offset, loff_t length, unsigned int flags,
             struct iomap *iomap, struct iomap *srcmap, int ret)
{
	return mapping_done(inode, offset, length, iomap, ret);
}

SEC("?fexit/ext4_iomap_overwrite_begin")
int BPF_PROG(fx_overwrite_begin, struct inode *inode, loff_t offset, loff_t length,
             unsigned int flags, struct iomap *iomap, struct iomap *srcmap, int ret)
{
	return mapping_done(inode, offset, length, iomap, ret);
}

SEC("?fexit/ext4_dio_write_end_io")
int BPF_PROG(fx_end_io, struct kiocb *iocb, ssize_t size, int error, unsigned int flags, int ret)
{
	struct inode *inode = k_inode(iocb);
	struct e4d_slot *w;
	bool submitter;

	w = completed_write(iocb, &submitter);
	if (!w)
		return 0;
	write_end_io(w, inode, size, error);
	if (!submitter)
		write_completed_async(w, k_id(iocb));
	return 0;
}

SEC("?fentry/ext4_truncate")
int BPF_PROG(fe_truncate, struct inode *inode)
{
	truncate_enter(inode);
	return 0;
}

SEC("?fexit/ext4_truncate")
int BPF_PROG(fx_truncate, struct inode *inode, int ret)
{
	truncate_exit(inode, true, ret);
	return 0;
}

SEC("?fexit/ext4_ext_remove_space")
int BPF_PROG(fx_remove_space, struct inode *inode, __u32 start, __u32 end, int ret)
{
	if (!ret)
		space_removed(inode, start);
	return 0;
}

SEC("?fexit/ext4_orphan_add")
int BPF_PROG(fx_orphan_add, void *handle, struct inode *inode)
{
	orphan_changed(inode);
	return 0;
}

SEC("?fexit/ext4_orphan_del")
int BPF_PROG(fx_orphan_del, void *handle, struct inode *inode)
{
	orphan_changed(inode);
	return 0;
}

SEC("?fentry/ext4_buffered_write_iter")
int BPF_PROG(fe_buffered_write_iter, struct kiocb *iocb)
{
	struct e4d_slot *w = current_write(k_inode(iocb));

	if (w)
		w->phase = E4D_PHASE_FALLBACK;
	return 0;
}

SEC("?fexit/ext4_buffered_write_iter")
int BPF_PROG(fx_buffered_write_iter, struct kiocb *iocb, struct iov_iter *from, ssize_t ret)
{
	struct e4d_slot *w = current_write(k_inode(iocb));

	if (w) {
		w->rec.fallback = ret;
		w->rec.seen |= E4D_SEEN_FALLBACK;
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
