/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One accessor for each kernel difference. A name of a kernel function or
 * struct member stands only here, in the SEC wrappers and in the hook table.
 */
#ifndef E4D_ACCESS_BPF_H
#define E4D_ACCESS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "config.h"
#include "shared.h"

/* The tracepoints of ext4: raw where kprobes are. */
#ifdef E4D_PROBE_READ
#define SEC_EXT4_TP(name) SEC("?raw_tp/" #name)
#else
#define SEC_EXT4_TP(name) SEC("?tp_btf/" #name)
#endif

#define EIOCBQUEUED      529
#define EAGAIN           11
#define ENOTBLK          15
#define EXT4_SUPER_MAGIC 0xEF53
#define S_DAX            (1 << 13)
#define EXT4_EXTENTS_FL  (1u << 19)
#define EXT4_EXT_MAGIC   0xf30a

/* From 5.9 (commit 1dd7a7c1, RWF_* aligned); they are macros, not in BTF. */
#define IOCB_DSYNC  0x02
#define IOCB_NOWAIT 0x08
#define IOCB_APPEND 0x10
#define IOCB_ATOMIC 0x40
#define IOCB_DIRECT (1 << 17)

#define IOMAP_UNWRITTEN 3
#define IOMAP_WRITE     (1 << 0)
#define IOMAP_DIRECT    (1 << 4)

const volatile struct e4d_config cfg SEC(".rodata.cfg") = {};

#ifndef E4D_NO_CMPXCHG
/* libbpf 1.4 declares it itself, in these words */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;
#endif

/*
 * fentry and tp_btf hand typed pointers: plain loads, no helper, which is what
 * lockdown=confidentiality allows. A kprobe's and a raw tracepoint's arguments
 * are numbers: bpf_rdonly_cast (6.2, commit a35b9af4ec2c) gives one a type of
 * vmlinux, at a seventh of the helper's price; the verifier drops the branch
 * that cfg does not choose.
 */
#ifndef E4D_PROBE_READ
#define LOAD(p, f) ((p)->f)
#elif defined(E4D_NO_CMPXCHG)
#define LOAD(p, f) BPF_CORE_READ(p, f)
#else
#define CAST(p)    ((typeof(p))bpf_rdonly_cast(p, bpf_core_type_id_kernel(typeof(*(p)))))
#define LOAD(p, f) (cfg.inode_access == E4D_INODE_CAST ? CAST(p)->f : BPF_CORE_READ(p, f))
#endif

/*
 * A kernel object's identity as a plain number, unlike every thread's key. A
 * typed pointer may not be multiplied or shifted, but the difference of two
 * pointers is a number: any fixed address does, that of `shared` is at hand.
 * Where LOAD casts, numbers and pointers are mixed: cast, all are pointers.
 */
struct e4d_shared shared;

static __always_inline __u64 k_id(const void *p)
{
#ifdef E4D_PROBE_READ
#ifdef E4D_NO_CMPXCHG
	return (__u64)p;
#else
	if (cfg.inode_access != E4D_INODE_CAST)
		return (__u64)p;
	p = bpf_rdonly_cast(p, bpf_core_type_id_kernel(struct inode));
#endif
#endif
	return ((__u64)p - (__u64)&shared) | 1ULL << 62;
}

static __always_inline struct inode *k_inode(struct kiocb *iocb)
{
	struct file *file = LOAD(iocb, ki_filp);

	return LOAD(file, f_inode);
}

static __always_inline __u32 k_dev(struct inode *inode)
{
	struct super_block *sb = LOAD(inode, i_sb);

	return LOAD(sb, s_dev);
}

static __always_inline bool k_is_ext4(struct inode *inode)
{
	struct super_block *sb = LOAD(inode, i_sb);

	return LOAD(sb, s_magic) == EXT4_SUPER_MAGIC;
}

/* 5.14, commit 8cd54c1c8480: the direction in a member of its own. */
struct iov_iter___old {
	unsigned int type;
} __attribute__((preserve_access_index));

static __always_inline bool k_is_write(struct iov_iter *iter)
{
	if (bpf_core_field_exists(iter->data_source))
		return LOAD(iter, data_source);
	return LOAD((struct iov_iter___old *)iter, type) & 1;
}

static __always_inline __u64 k_isize(struct inode *inode)
{
	return LOAD(inode, i_size);
}

/*
 * 8 bytes at a kernel address. container_of() gives no typed pointer (negative
 * offsets are refused), so ext4's inode is read through bpf_rdonly_cast (6.2,
 * commit a35b9af4ec2c) as the first word of a small vmlinux struct, which also
 * holds where ext4 is a module; else through the helper.
 */
static __always_inline __u64 k_load64(const void *addr)
{
	__u64 v = 0;

#ifndef E4D_NO_CMPXCHG
	if (cfg.inode_access == E4D_INODE_CAST) {
		struct timespec64 *word;

		word = bpf_rdonly_cast(addr, bpf_core_type_id_kernel(struct timespec64));
		return word->tv_sec;
	}
#endif
	if (cfg.inode_access == E4D_INODE_PROBE)
		bpf_probe_read_kernel(&v, sizeof(v), addr);
	return v;
}

/* ext4 may be a module, whose types bpf_rdonly_cast does not know. */
#ifdef E4D_PROBE_READ
#define LOAD_MAP(map, f)                                                                           \
	((__u32)k_load64((const char *)(map) + bpf_core_field_offset(struct ext4_map_blocks, f)))
#else
#define LOAD_MAP(map, f) LOAD(map, f)
#endif

static __always_inline __u32 k_map_lblk(struct ext4_map_blocks *map)
{
	return LOAD_MAP(map, m_lblk);
}

static __always_inline bool k_map_is_new(struct ext4_map_blocks *map)
{
	return LOAD_MAP(map, m_flags) & (1u << bpf_core_enum_value(enum bh_state_bits, BH_New));
}

static __always_inline bool k_map_is_unwritten(struct ext4_map_blocks *map)
{
	return LOAD_MAP(map, m_flags) &
	       (1u << bpf_core_enum_value(enum bh_state_bits, BH_Unwritten));
}

/*
 * The system call that the thread is in, as e4d_call_id(); 0 where it cannot be
 * told. bpf_task_pt_regs is 5.15 (commit dd6e10fbd9fb), later than cmpxchg;
 * before it the registers are looked for where x86-64 keeps them, at the top of
 * a stack of 16 KiB, and believed if they are a user's.
 */
#ifndef E4D_NO_CMPXCHG
static __always_inline __u64 k_call_id(void)
{
	struct pt_regs *regs;

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
#if defined(__TARGET_ARCH_arm64)
	struct user_pt_regs *u = (struct user_pt_regs *)regs;

	return e4d_call_id(regs->syscallno, regs->orig_x0, u->regs[1], u->regs[2], u->regs[3],
	                   u->pc);
#else
	return e4d_call_id(regs->orig_ax, regs->di, regs->si, regs->dx, regs->r10, regs->ip);
#endif
}
#elif defined(__TARGET_ARCH_x86)
#define STACK_BYTES    16384
#define REG(base, reg) k_load64((base) + bpf_core_field_offset(struct pt_regs, reg))

static __always_inline __u64 k_call_id(void)
{
	const char *task = (const char *)bpf_get_current_task();
	const char *regs;

	regs = (const char *)k_load64(task + bpf_core_field_offset(struct task_struct, stack));
	regs += STACK_BYTES - bpf_core_type_size(struct pt_regs);
	if ((REG(regs, cs) & 3) != 3)
		return 0;
	return e4d_call_id(REG(regs, orig_ax), REG(regs, di), REG(regs, si), REG(regs, dx),
	                   REG(regs, r10), REG(regs, ip));
}
#else
static __always_inline __u64 k_call_id(void)
{
	return 0;
}
#endif

/* The thread's name, 16 bytes. The helper takes four times as long. */
static __always_inline void k_comm(char comm[E4D_COMM_LEN])
{
#ifdef E4D_NO_CMPXCHG
	bpf_get_current_comm(comm, E4D_COMM_LEN);
#else
	/* from 6.2 on a trusted pointer: its loads are bare */
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	const __u64 *from = (const __u64 *)task->comm;

	((__u64 *)comm)[0] = from[0];
	((__u64 *)comm)[1] = from[1];
#endif
}

#define EXT4_I(inode, field)                                                                       \
	((const char *)(inode)-bpf_core_field_offset(struct ext4_inode_info, vfs_inode) +          \
	 bpf_core_field_offset(struct ext4_inode_info, field))

static __always_inline bool k_has_ext4_inode(void)
{
	return cfg.inode_access != E4D_INODE_NONE;
}

static __always_inline __u64 k_disksize(struct inode *inode)
{
	return k_load64(EXT4_I(inode, i_disksize));
}

/* On disk's list, or (orphan_file, 5.15, commit 02f310fcf47f) a state bit. */
static __always_inline bool k_on_orphan_list(struct inode *inode)
{
	const char *head = EXT4_I(inode, i_orphan);
	__u64 next = k_load64(head);

	/* with orphan_file the union holds an index, not a list */
	if (cfg.orphan_bit >= 0 && (k_load64(EXT4_I(inode, i_flags)) >> (cfg.orphan_bit & 63) & 1))
		return true;
	return (__s64)next < 0 && next != (__u64)head;
}

static __always_inline bool k_has_extents(struct inode *inode)
{
	return k_load64(EXT4_I(inode, i_flags)) & EXT4_EXTENTS_FL;
}

#define E4D_NOT_KNOWN (~0ULL)

/*
 * Bytes of [from, to) that extents in the inode itself map; E4D_NOT_KNOWN for
 * ^extents and for a deeper tree.
 */
static __always_inline __u64 k_mapped(struct inode *inode, __u64 from, __u64 to, __u8 bits)
{
	const char *data = EXT4_I(inode, i_data);
	__u64 head = k_load64(data), sum = 0;
	__u32 entries = head >> 16 & 0xffff;

	if (!k_has_extents(inode) || (head & 0xffff) != EXT4_EXT_MAGIC || head >> 48)
		return E4D_NOT_KNOWN;
	for (__u32 i = 0; i < 4; i++) {
		__u64 word = k_load64(data + 12 + i * 12);
		__u64 start = (word & 0xffffffff) << bits;
		__u64 len = word >> 32 & 0xffff;
		__u64 end;

		if (i >= entries)
			break;
		end = start + ((len > 32768 ? len - 32768 : len) << bits);
		if (start < from)
			start = from;
		if (end > to)
			end = to;
		if (end > start)
			sum += end - start;
	}
	return sum;
}

#endif
