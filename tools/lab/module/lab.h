/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mistakes that ext4's direct write path can be made to have: bits of the
 * module parameter "lab". With 0 it is the stock code. The table "mistakes" holds
 * the same names and numbers for scripts (build.sh compares the two); README.md
 * says what each imitates.
 */
#ifndef _EXT4_LAB_H
#define _EXT4_LAB_H

#include <linux/types.h>

enum {
	LAB_V4 = 1u << 0,
	LAB_ALLOC_ALL_REPORT_HALF = 1u << 1,
	LAB_NEVER_TRIMS = 1u << 2,
	LAB_TRIM_TOO_FAR = 1u << 3,
	LAB_TRIM_SHORT_BY_ONE = 1u << 4,
	LAB_TRIM_TOO_LOW = 1u << 5,
	LAB_TRIM_SOME_ERRORS = 1u << 6,
	LAB_ENOSPC_FORGETS = 1u << 7,
	LAB_ORPHAN_EARLY = 1u << 8,
	LAB_ORPHAN_NEVER = 1u << 9,
	LAB_ASYNC_EXTEND = 1u << 10,
	LAB_ASYNC_NO_TRIM = 1u << 11,
	LAB_TRUNCATE_ERROR = 1u << 12,
	LAB_TRUNCATE_SWALLOWED = 1u << 13,
	LAB_TRUNCATE_ERROR_DONE = 1u << 14,
	LAB_SKIP_IF_NEXT_EXTENT = 1u << 15,
	LAB_UNWRITTEN_LEFT = 1u << 16,
	LAB_TRIM_LATE = 1u << 17,
	LAB_FIX = 1u << 18,
	LAB_SHORT_FAULT = 1u << 19,
	LAB_PAST_FROM_INSIDE = 1u << 20,
};

/* Those that trim every short write, and those that need short writes to show. */
#define LAB_FIXES        (LAB_FIX | LAB_TRIM_TOO_LOW)
#define LAB_SHORT_FAULTS (LAB_SHORT_FAULT | LAB_FIXES | LAB_TRIM_LATE | LAB_V4)

/*
 * ext4_inode_info.i_lab; like i_lab_pos, where the write began, it belongs to the
 * extending write under way, so i_rwsem guards it.
 */
enum {
	LAB_I_NEW = 1u << 0,  /* this write allocated or converted blocks past EOF */
	LAB_I_TRIM = 1u << 1, /* the truncate under way trims after a write */
	LAB_I_LATE = 1u << 2, /* trim-late: still to be trimmed */
};

struct inode;
struct ext4_map_blocks;
extern unsigned int ext4_lab;

/* Is any of these on? */
static inline bool lab_on(unsigned int mistakes)
{
	return *(volatile unsigned int *)&ext4_lab & mistakes;
}

bool lab_need_trunc(struct inode *inode, ssize_t ret, ssize_t count, loff_t end);
bool lab_short_fault(struct inode *inode, loff_t pos, ssize_t size, int error);
void lab_orphan_early(struct inode *inode);
void lab_trim(struct inode *inode);
void lab_trim_late(struct inode *inode);
bool lab_trim_fails(struct inode *inode, int *err);
int lab_trim_result(struct inode *inode, int err);
bool lab_trim_skips(struct inode *inode);
u32 lab_trim_block(struct inode *inode, u32 block);
int lab_before_alloc(struct inode *inode, loff_t offset);
void lab_after_alloc(struct inode *inode, struct ext4_map_blocks *map, loff_t end);

#endif
