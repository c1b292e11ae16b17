/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A mapping finds unwritten blocks. If it leaves them unwritten, the kernel
 * calls them new all the same; only this tracepoint tells them from new ones.
 */
#ifndef E4D_UNWRITTEN_BPF_H
#define E4D_UNWRITTEN_BPF_H

#include "core.bpf.h"

SEC("?tp_btf/ext4_ext_handle_unwritten_extents")
int BPF_PROG(tp_unwritten_extents, struct inode *inode, struct ext4_map_blocks *map)
{
	struct e4d_slot *w = inode && map ? current_write(inode) : NULL;

	if (w)
		w->found = (__u64)LOAD(map, m_lblk) + 1;
	return 0;
}

/* A mapping of len blocks that the kernel calls new: is it this write's? */
static __always_inline void map_is_new(struct inode *inode, struct ext4_map_blocks *map, int len)
{
	struct e4d_slot *w = current_write(inode);
	__u64 lblk = LOAD(map, m_lblk);

	if (w && !(w->found == lblk + 1 && k_map_is_unwritten(map)))
		write_allocated(w, inode, lblk, len);
}

#endif
