/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Tracepoints of ext4 that the three tiers share. They sit below the extent
 * status cache: an overwrite does not reach them. A module's tracepoint may hand
 * null pointers (6.12), so each is checked.
 */
#ifndef E4D_MAPPING_BPF_H
#define E4D_MAPPING_BPF_H

#include "unwritten.bpf.h"

static __always_inline int map_blocks_exit(struct inode *inode, struct ext4_map_blocks *map,
                                           int ret)
{
	if (inode && map && ret > 0 && k_map_is_new(map))
		map_is_new(inode, map, ret);
	return 0;
}

SEC_EXT4_TP(ext4_ext_map_blocks_exit)
int BPF_PROG(tp_ext_map_blocks_exit, struct inode *inode, unsigned int flags,
             struct ext4_map_blocks *map, int ret)
{
	return map_blocks_exit(inode, map, ret);
}

SEC_EXT4_TP(ext4_ind_map_blocks_exit)
int BPF_PROG(tp_ind_map_blocks_exit, struct inode *inode, unsigned int flags,
             struct ext4_map_blocks *map, int ret)
{
	return map_blocks_exit(inode, map, ret);
}

#endif
