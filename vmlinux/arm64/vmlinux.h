/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Made by tools/gen-vmlinux.sh from the BTF of: Linux 6.1.192 arm64 (Debian 6.1.0-56-cloud-arm64). Do not edit. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include "../base.h"

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct file;
struct list_head;
struct inode;
struct super_block;

enum bh_state_bits {
	BH_New = 5,
	BH_Unwritten = 11,
};

enum bpf_func_id {
	BPF_FUNC_task_pt_regs = 175,
};

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

struct timespec64 {
	time64_t tv_sec;
};

struct task_struct {
	void *stack;
	char comm[16];
};

struct file {
	struct inode *f_inode;
};

struct kiocb {
	struct file *ki_filp;
	loff_t ki_pos;
	void *ki_complete;
	int ki_flags;
};

struct iov_iter {
	bool data_source;
	size_t count;
};

struct super_block {
	dev_t s_dev;
	long unsigned int s_magic;
};

struct inode {
	unsigned int i_flags;
	struct super_block *i_sb;
	long unsigned int i_ino;
	const unsigned int i_nlink;
	loff_t i_size;
	u8 i_blkbits;
	__u32 i_generation;
};

struct iomap {
	loff_t offset;
	u64 length;
	u16 type;
	u16 flags;
};

struct iomap_iter {
	struct inode *inode;
	loff_t pos;
	u64 len;
	unsigned int flags;
	struct iomap iomap;
};

struct ext4_map_blocks {
	ext4_lblk_t m_lblk;
	unsigned int m_len;
	unsigned int m_flags;
};

struct ext4_inode_info {
	__le32 i_data[15];
	long unsigned int i_flags;
	struct list_head i_orphan;
	loff_t i_disksize;
	struct inode vfs_inode;
};

struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
};

struct pt_regs {
	u64 orig_x0;
	s32 syscallno;
};


#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif
