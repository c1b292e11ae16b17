/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Scalar types that every architecture's vmlinux.h builds on. */
#ifndef E4D_VMLINUX_BASE_H
#define E4D_VMLINUX_BASE_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __s8 s8;
typedef __u8 u8;
typedef __s16 s16;
typedef __u16 u16;
typedef __s32 s32;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u16 __sum16;
typedef __u16 umode_t;
typedef __u32 __le32;
typedef __s64 loff_t;
typedef __s64 time64_t;
typedef unsigned long size_t;
typedef long ssize_t;
typedef __u32 dev_t;
typedef __u32 ext4_lblk_t;
typedef __u64 sector_t;
typedef _Bool bool;

enum { false = 0, true = 1 };

#define NULL ((void *)0)

/* uapi constants that bpf_helpers.h leaves to the includer */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum {
	BPF_NOEXIST = 1,
	BPF_F_MMAPABLE = 1 << 10,
	BPF_RB_NO_WAKEUP = 1,
};

#endif
