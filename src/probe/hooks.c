/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <string.h>
#include "probe/hooks.h"

#define FE(r, c, p, t, n)                                                                          \
	{                                                                                          \
		E4D_TIER_FENTRY, r, c, p, E4D_FENTRY, t, n                                         \
	}
#define FX(r, c, p, t, n)                                                                          \
	{                                                                                          \
		E4D_TIER_FENTRY, r, c, p, E4D_FEXIT, t, n                                          \
	}
#define KP(r, c, p, t, n)                                                                          \
	{                                                                                          \
		E4D_TIER_KPROBE, r, c, p, E4D_KPROBE, t, n                                         \
	}
#define KR(r, c, p, t, n)                                                                          \
	{                                                                                          \
		E4D_TIER_KPROBE, r, c, p, E4D_KRETPROBE, t, n                                      \
	}
#define RT(r, c, p, t, n)                                                                          \
	{                                                                                          \
		E4D_TIER_KPROBE, r, c, p, E4D_RAW_TP, t, n                                         \
	}
#define TF(r, c, p, t, n)                                                                          \
	{                                                                                          \
		E4D_TIER_FENTRY, r, c, p, E4D_TP, t, n                                             \
	}
#define TP(r, c, p, t, n)                                                                          \
	{                                                                                          \
		E4D_TIER_TRACEPOINT, r, c, p, E4D_TP, t, n                                         \
	}

/* Newest or most precise candidate first. */
const struct e4d_hook e4d_hooks[] = {
	/* ext4_dio_write_iter is inlined in every Debian kernel, kept in Ubuntu's 5.8 to 6.8 */
	FE("write", 0, "fe_dio_write_iter", "ext4_dio_write_iter", true),
	FX("write", 0, "fx_dio_write_iter", "ext4_dio_write_iter", true),
	FE("write", 1, "fe_file_write_iter", "ext4_file_write_iter", true),
	FX("write", 1, "fx_file_write_iter", "ext4_file_write_iter", true),
	FX("mapping", 0, "fx_iomap_begin", "ext4_iomap_begin", true),
	/* until 7.0; some builds inline ext4_iomap_begin into it, where both fire it counts once */
	FX("overwrite", 0, "fx_overwrite_begin", "ext4_iomap_overwrite_begin", false),
	/* the tracepoints of the block mapping: silent where the status cache answers */
	TF("allocation", 0, "tp_ext_map_blocks_exit", "ext4_ext_map_blocks_exit", true),
	TF("allocation-ind", 0, "tp_ind_map_blocks_exit", "ext4_ind_map_blocks_exit", true),
	TF("unwritten", 0, "tp_unwritten_extents", "ext4_ext_handle_unwritten_extents", false),
	FX("end_io", 0, "fx_end_io", "ext4_dio_write_end_io", true),
	FE("truncate", 0, "fe_truncate", "ext4_truncate", true),
	FX("truncate", 0, "fx_truncate", "ext4_truncate", true),
	FX("boundary", 0, "fx_remove_space", "ext4_ext_remove_space", true),
	FX("orphan", 0, "fx_orphan_add", "ext4_orphan_add", false),
	FX("orphan", 0, "fx_orphan_del", "ext4_orphan_del", false),
	FE("dax", 0, "fe_dax_rw", "dax_iomap_rw", false),
	TF("exit", 0, "tp_process_exit", "sched_process_exit", false),

	KP("write", 0, "kp_dio_write_iter", "ext4_dio_write_iter", true),
	KR("write", 0, "kr_dio_write_iter", "ext4_dio_write_iter", true),
	KP("write", 1, "kp_file_write_iter", "ext4_file_write_iter", true),
	KR("write", 1, "kr_file_write_iter", "ext4_file_write_iter", true),
	KP("mapping", 0, "kp_iomap_begin", "ext4_iomap_begin", true),
	KR("mapping", 0, "kr_iomap_begin", "ext4_iomap_begin", true),
	KP("overwrite", 0, "kp_overwrite_begin", "ext4_iomap_overwrite_begin", false),
	KR("overwrite", 0, "kr_overwrite_begin", "ext4_iomap_overwrite_begin", false),
	RT("allocation", 0, "tp_ext_map_blocks_exit", "ext4_ext_map_blocks_exit", true),
	RT("allocation-ind", 0, "tp_ind_map_blocks_exit", "ext4_ind_map_blocks_exit", true),
	RT("unwritten", 0, "tp_unwritten_extents", "ext4_ext_handle_unwritten_extents", true),
	KP("end_io", 0, "kp_end_io", "ext4_dio_write_end_io", true),
	KR("end_io", 0, "kr_end_io", "ext4_dio_write_end_io", true),
	KP("truncate", 0, "kp_truncate", "ext4_truncate", true),
	KR("truncate", 0, "kr_truncate", "ext4_truncate", true),
	KP("boundary", 0, "kp_remove_space", "ext4_ext_remove_space", true),
	KR("boundary", 0, "kr_remove_space", "ext4_ext_remove_space", true),
	KP("orphan", 0, "kp_orphan_add", "ext4_orphan_add", false),
	KR("orphan", 0, "kr_orphan_add", "ext4_orphan_add", false),
	KP("orphan", 0, "kp_orphan_del", "ext4_orphan_del", false),
	KR("orphan", 0, "kr_orphan_del", "ext4_orphan_del", false),
	{E4D_TIER_KPROBE, "exit", 0, "tp_process_exit", E4D_TP, "sched_process_exit", false},

	/* 6.6, commit 3fd41721cd5c; before it a write begins at its first mapping */
	TP("begin", 0, "tp_dio_rw_begin", "iomap_dio_rw_begin", true),
	/* 5.10-stable took iomap_iter from 5.15 in, but its direct I/O calls iomap_apply */
	TP("begin", 1, "tp_iomap_iter", "iomap_iter", true),
	TP("begin", 1, "tp_iomap_apply", "iomap_apply", true),
	TP("begin", 2, "tp_iomap_iter", "iomap_iter", true),
	TP("begin", 3, "tp_iomap_apply", "iomap_apply", true),
	TP("complete", 0, "tp_dio_complete", "iomap_dio_complete", true),
	TP("complete", 1, "tp_mark_inode_dirty", "ext4_mark_inode_dirty", true),
	TP("queued", 0, "tp_dio_rw_queued", "iomap_dio_rw_queued", false),
	TP("invalidation", 0, "tp_invalidate_fail", "iomap_dio_invalidate_fail", false),
	TP("mapping", 0, "tp_iter_dstmap", "iomap_iter_dstmap", true),
	TP("mapping", 0, "tp_apply_dstmap", "iomap_apply_dstmap", true),
	TP("mapping", 1, "tp_iter_dstmap", "iomap_iter_dstmap", true),
	TP("mapping", 2, "tp_apply_dstmap", "iomap_apply_dstmap", true),
	TP("allocation", 0, "tp_ext_map_blocks_exit", "ext4_ext_map_blocks_exit", true),
	TP("allocation-ind", 0, "tp_ind_map_blocks_exit", "ext4_ind_map_blocks_exit", true),
	TP("unwritten", 0, "tp_unwritten_extents", "ext4_ext_handle_unwritten_extents", false),
	TP("truncate", 0, "tp_truncate_enter", "ext4_truncate_enter", true),
	TP("truncate", 0, "tp_truncate_exit", "ext4_truncate_exit", true),
	TP("boundary", 0, "tp_ext_remove_space", "ext4_ext_remove_space", true),
	TP("fallback", 0, "tp_writepages", "ext4_writepages", true),
	TP("fallback", 0, "tp_writepages_result", "ext4_writepages_result", true),
	TP("exit", 0, "tp_process_exit", "sched_process_exit", true),
	{0},
};

_Static_assert(sizeof(e4d_hooks) / sizeof(e4d_hooks[0]) <= E4D_HOOK_ROWS, "rows fit");

const char *e4d_hook_kind_name(enum e4d_hook_kind kind)
{
	static const char *const names[] = {"fentry",    "fexit",  "kprobe",
	                                    "kretprobe", "tp_btf", "raw_tp"};

	return names[kind];
}

bool e4d_hook_begins(const struct e4d_hook *hook)
{
	if (!strcmp(hook->role, "begin"))
		return true;
	return !strcmp(hook->role, "write") &&
	       (hook->kind == E4D_FENTRY || hook->kind == E4D_KPROBE);
}

enum e4d_miss e4d_hook_miss(const struct e4d_hook *hook)
{
	bool tracepoints = hook->tier == E4D_TIER_TRACEPOINT;

	if (!strcmp(hook->role, "exit"))
		return E4D_MISS_SHOWS;
	/* before 6.6 what is missed of a begin goes to the thread's last write */
	if (tracepoints && hook->candidate != 0)
		return E4D_MISS_ANY;
	if (e4d_hook_begins(hook) || (tracepoints && !strcmp(hook->role, "complete")))
		return E4D_MISS_SHOWS;
	if (hook->tier != E4D_TIER_KPROBE &&
	    (!strcmp(hook->role, "mapping") || !strcmp(hook->role, "overwrite")))
		return E4D_MISS_MAPPING;
	return E4D_MISS_ANY;
}
