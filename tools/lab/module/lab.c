// SPDX-License-Identifier: GPL-2.0-only
/* The mistakes' own code, the same for every kernel; the patches call it. */
#include <linux/module.h>

#include "ext4.h"
#include "ext4_extents.h"
#include "ext4_jbd2.h"
#include "truncate.h"

unsigned int ext4_lab;
module_param_named(lab, ext4_lab, uint, 0644);
MODULE_PARM_DESC(lab, "mistakes in the direct write path, a bit mask (ext4diotop's lab)");

/* Does an extent follow behind the hole that begins at @end? */
static bool extent_after(struct inode *inode, loff_t end)
{
	struct ext4_map_blocks map = {
		.m_lblk = round_up(end, i_blocksize(inode)) >> inode->i_blkbits,
	};
	u32 asked = min_t(u32, EXT_MAX_BLOCKS - map.m_lblk, INT_MAX);
	int ret;

	if (!ext4_test_inode_flag(inode, EXT4_INODE_EXTENTS))
		return false;
	map.m_len = asked;
	ret = ext4_map_blocks(NULL, inode, &map, 0);
	return ret > 0 || (ret == 0 && map.m_len < asked);
}

/*
 * Is the file to be cut to i_size after an extending write of @count bytes up to
 * @end that returned @ret? The stock code says ret < 0.
 */
bool lab_need_trunc(struct inode *inode, ssize_t ret, ssize_t count, loff_t end)
{
	struct ext4_inode_info *ei = EXT4_I(inode);
	bool left = ret < 0 || (ret < count && (ei->i_lab & LAB_I_NEW));
	bool extents = ext4_test_inode_flag(inode, EXT4_INODE_EXTENTS);

	ei->i_lab_pos = LLONG_MAX;
	if (lab_on(LAB_TRIM_LATE) && left)
		ei->i_lab |= LAB_I_LATE;
	if (!(lab_on(LAB_FIXES) ? left : ret < 0))
		return false;
	if (lab_on(LAB_V4 | LAB_NEVER_TRIMS | LAB_TRIM_LATE))
		return false;
	if (lab_on(LAB_TRIM_SOME_ERRORS) && ret != -ENOSPC)
		return false;
	if (lab_on(LAB_ENOSPC_FORGETS) && ret == -ENOSPC)
		return false;
	if (lab_on(LAB_ASYNC_NO_TRIM) && ret == -EIOCBQUEUED)
		return false;
	if (lab_on(LAB_UNWRITTEN_LEFT) && extents)
		return false;
	return !(lab_on(LAB_SKIP_IF_NEXT_EXTENT) && extent_after(inode, end));
}

/* The truncate of the stock code, known by its flag. */
void lab_trim(struct inode *inode)
{
	EXT4_I(inode)->i_lab |= LAB_I_TRIM;
	ext4_truncate_failed_write(inode);
	EXT4_I(inode)->i_lab &= ~LAB_I_TRIM;
}

/* orphan-early: the entry goes before the blocks do. */
void lab_orphan_early(struct inode *inode)
{
	handle_t *handle;

	if (!lab_on(LAB_ORPHAN_EARLY))
		return;
	handle = ext4_journal_start(inode, EXT4_HT_INODE, 2);
	if (IS_ERR(handle))
		return;
	ext4_orphan_del(handle, inode);
	ext4_journal_stop(handle);
}

static bool trims_with(struct inode *inode, unsigned int mistake)
{
	return (EXT4_I(inode)->i_lab & LAB_I_TRIM) && lab_on(mistake);
}

/* At the start of a truncate: does it fail without having done anything? */
bool lab_trim_fails(struct inode *inode, int *err)
{
	if (!trims_with(inode, LAB_TRUNCATE_ERROR))
		return false;
	*err = -EIO;
	return true;
}

/* At its end: the error that the caller sees. */
int lab_trim_result(struct inode *inode, int err)
{
	return trims_with(inode, LAB_TRUNCATE_ERROR_DONE) ? -EIO : err;
}

/* Does it leave the blocks alone, though it does all the rest? */
bool lab_trim_skips(struct inode *inode)
{
	return trims_with(inode, LAB_TRUNCATE_SWALLOWED);
}

/* The first block that goes. */
u32 lab_trim_block(struct inode *inode, u32 block)
{
	if (trims_with(inode, LAB_TRIM_TOO_FAR))
		block += (64 << 10) >> inode->i_blkbits;
	if (trims_with(inode, LAB_TRIM_SHORT_BY_ONE))
		block++;
	if (trims_with(inode, LAB_TRIM_TOO_LOW) && block)
		block--;
	return block;
}

/* alloc-all-report-half is about blocks of direct I/O past EOF. */
static bool reports_half(struct inode *inode, u32 lblk)
{
	return lab_on(LAB_ALLOC_ALL_REPORT_HALF) && !IS_DAX(inode) &&
	       ((loff_t)lblk << inode->i_blkbits) >= i_size_read(inode);
}

/*
 * Before an allocation. The half that was not reported is there already, and for
 * that "fall back to the page cache" is said. So it is for a write that goes on in
 * the middle of a block, which it does only when its buffer ended there: iomap up
 * to 6.12.117 made that a short write without an error.
 */
int lab_before_alloc(struct inode *inode, loff_t offset)
{
	struct ext4_map_blocks map = {.m_lblk = offset >> inode->i_blkbits, .m_len = 1};
	int ret;

	if (lab_on(LAB_SHORT_FAULTS) && offset > EXT4_I(inode)->i_lab_pos &&
	    (offset & (i_blocksize(inode) - 1)))
		return -ENOTBLK;
	if (!reports_half(inode, map.m_lblk))
		return 0;
	ret = ext4_map_blocks(NULL, inode, &map, 0);
	if (ret < 0)
		return ret;
	return ret && (map.m_flags & EXT4_MAP_MAPPED) ? -ENOTBLK : 0;
}

/* The same where nothing was written, so that iomap did not ask again. */
bool lab_short_fault(struct inode *inode, loff_t pos, ssize_t size, int error)
{
	return lab_on(LAB_SHORT_FAULTS) && !size && (error == -EFAULT || error == -EINTR) &&
	       pos == EXT4_I(inode)->i_lab_pos && (pos & (i_blocksize(inode) - 1));
}

/*
 * past-from-inside: four blocks past EOF, too, for a write that has nothing to do
 * there. No orphan entry, and nobody trims them.
 */
static void alloc_past(struct inode *inode)
{
	struct ext4_map_blocks map = {
		.m_lblk = round_up(i_size_read(inode), i_blocksize(inode)) >> inode->i_blkbits,
		.m_len = 4,
	};
	handle_t *handle;

	handle = ext4_journal_start(inode, EXT4_HT_MAP_BLOCKS,
	                            ext4_chunk_trans_blocks(inode, map.m_len));
	if (IS_ERR(handle))
		return;
	ext4_map_blocks(handle, inode, &map, EXT4_GET_BLOCKS_CREATE);
	ext4_journal_stop(handle);
}

/* After one, before iomap is told of it; @end: of the range to be written. */
void lab_after_alloc(struct inode *inode, struct ext4_map_blocks *map, loff_t end)
{
	loff_t mapped = ((loff_t)map->m_lblk + map->m_len) << inode->i_blkbits;
	loff_t isize = i_size_read(inode);

	if (!(map->m_flags & EXT4_MAP_NEW))
		return;
	if (lab_on(LAB_PAST_FROM_INSIDE) && !IS_DAX(inode) && end <= isize)
		alloc_past(inode);
	if (mapped <= round_up(isize, i_blocksize(inode)))
		return;
	EXT4_I(inode)->i_lab |= LAB_I_NEW;
	if (reports_half(inode, map->m_lblk))
		map->m_len = DIV_ROUND_UP(map->m_len, 2);
}

/* trim-late: after all is done, the fallback too, and in a lock of its own. */
void lab_trim_late(struct inode *inode)
{
	struct ext4_inode_info *ei = EXT4_I(inode);

	if (!(ei->i_lab & LAB_I_LATE))
		return;
	inode_lock(inode);
	if (ei->i_lab & LAB_I_LATE)
		lab_trim(inode);
	ei->i_lab &= ~LAB_I_LATE;
	inode_unlock(inode);
}
