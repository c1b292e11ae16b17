/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A mapping finds unwritten blocks. If it leaves them unwritten, the kernel
 * calls them new all the same; only this tracepoint tells them from new ones.
 */
#ifndef E4D_UNWRITTEN_BPF_H
#define E4D_UNWRITTEN_BPF_H

#include "core.bpf.h"

SLOW int unwritten_slow(struct inode *inode, __u64 lblk)
{
	struct e4d_slot *w = current_any(inode);

	if (w)
		w->found = lblk + 1;
	return 0;
}

SEC_EXT4_TP(ext4_ext_handle_unwritten_extents)
int BPF_PROG(tp_unwritten_extents, struct inode *inode, struct ext4_map_blocks *map)
{
	if (inode && map && (cfg.all || busy(inode)))
		unwritten_slow(inode, k_map_lblk(map));
	return 0;
}

/* A mapping of len blocks that the kernel calls new: is it this write's? */
SLOW int new_slow(struct inode *inode, __u64 lblk, __u64 len, bool unwritten)
{
	struct e4d_slot *w = current_any(inode);

	if (!w) {
		w = begin_stray(inode, lblk, len);
#ifdef E4D_PROBE_READ
		if (w) /* for the return, which has no arguments */
			w->calls[0].arg[0] = (__u64)inode;
#endif
	}
	if (w && !(unwritten && w->found == lblk + 1))
		write_allocated(w, inode, lblk, len);
	return 0;
}

static __always_inline void map_is_new(struct inode *inode, struct ext4_map_blocks *map, int len)
{
	__u64 lblk = k_map_lblk(map);
	__u8 bits = LOAD(inode, i_blkbits);

	if (cfg.all || busy(inode) || (lblk + len) << (bits & 31) > e4d_up(k_isize(inode), bits))
		new_slow(inode, lblk, len, k_map_is_unwritten(map));
}

#endif
