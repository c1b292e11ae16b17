/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The write record: what leaves the kernel for one direct write, and the only
 * ABI between the BPF side and user space. Fixed size, little-endian,
 * versioned; names and meanings are those of the JSON line, the CSV header and
 * every later format.
 */
#ifndef E4D_RECORD_H
#define E4D_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define E4D_RECORD_VERSION 1
#define E4D_COMM_LEN       16

/* Values are stored: never renumber, leave retired ones as holes. */
enum e4d_tier {
	E4D_TIER_NONE = 0,
	E4D_TIER_FENTRY = 1,
	E4D_TIER_KPROBE = 2,
	E4D_TIER_TRACEPOINT = 3,
	E4D_TIER_COUNT,
};

enum e4d_verdict {
	E4D_UNKNOWN = 0,
	E4D_CLEAN = 1,
	E4D_TRIMMED = 2,
	E4D_REUSED = 3,
	E4D_PREALLOC = 4,
	E4D_LEAK = 5,
	E4D_TRIM_FAILED = 6,
	E4D_EXPOSED = 7,
	E4D_VERDICT_COUNT,
};

enum e4d_evidence {
	E4D_OBSERVED = 0,  /* every step was seen */
	E4D_INFERRED = 1,  /* the tier cannot see a step; it was concluded */
	E4D_CONFIRMED = 2, /* the disk was asked and agrees */
	E4D_REFUTED = 3,   /* the disk was asked and disagrees */
	E4D_EVIDENCE_COUNT,
};

/* e4d_record.flags: the words of the `flags` list, in this order. */
enum e4d_flag {
	E4D_F_EXTEND = 1u << 0,        /* offset + submitted > isize_before */
	E4D_F_ASYNC = 1u << 1,         /* queued: completed by another context */
	E4D_F_SYNC = 1u << 2,          /* synchronous iocb */
	E4D_F_NOWAIT = 1u << 3,        /* IOCB_NOWAIT */
	E4D_F_DSYNC = 1u << 4,         /* IOCB_DSYNC (O_DSYNC, O_SYNC) */
	E4D_F_APPEND = 1u << 5,        /* IOCB_APPEND */
	E4D_F_UNALIGNED = 1u << 6,     /* offset or length not block aligned */
	E4D_F_NEW = 1u << 7,           /* a mapping allocated blocks */
	E4D_F_UNWRITTEN = 1u << 8,     /* a mapping was unwritten */
	E4D_F_ATOMIC = 1u << 9,        /* IOCB_ATOMIC */
	E4D_F_DAX = 1u << 10,          /* DAX inode: no iomap dio underneath */
	E4D_F_ORPHAN = 1u << 11,       /* on the orphan list at exit */
	E4D_F_OVERTRIM = 1u << 12,     /* a trim cut below EOF */
	E4D_F_SIZE_MOVED = 1u << 13,   /* i_size grew, the write returned <= 0 */
	E4D_F_ASYNC_EXTEND = 1u << 14, /* past i_size, completed elsewhere */
};
#define E4D_FLAG_COUNT 15

/* e4d_record.seen: which optional fields hold a value (null otherwise). */
enum e4d_seen {
	E4D_SEEN_END_IO = 1u << 0,     /* dio_error; dio_size too unless: */
	E4D_SEEN_DIO_SIZE = 1u << 1,   /* dio_size */
	E4D_SEEN_RET = 1u << 2,        /* ret */
	E4D_SEEN_FALLBACK = 1u << 3,   /* fallback */
	E4D_SEEN_TRIM = 1u << 4,       /* trim_from: a truncate ran */
	E4D_SEEN_TRIM_RET = 1u << 5,   /* trim_ret */
	E4D_SEEN_ORPHAN = 1u << 6,     /* the orphan flag is known */
	E4D_SEEN_MAP = 1u << 7,        /* at least one mapping was seen */
	E4D_SEEN_SHORT_PAST = 1u << 8, /* blocks lay past i_size after end_io */
	E4D_SEEN_TRIM_CUT = 1u << 9,   /* a truncate that worked cut blocks */
	E4D_SEEN_TRIM_BAD = 1u << 10,  /* a truncate failed or stopped short */
};

/* e4d_record.doubt: why a write is `unknown`; any bit makes it so. */
enum e4d_doubt {
	E4D_DOUBT_LOST = 1u << 0,   /* events were lost while it was in flight */
	E4D_DOUBT_HALF = 1u << 1,   /* its begin or its end was not seen */
	E4D_DOUBT_RACE = 1u << 2,   /* another thread moved EOF at the same time */
	E4D_DOUBT_SETTLE = 1u << 3, /* not settled when the session ended */
};
#define E4D_DOUBT_COUNT 4

struct e4d_record {
	__u64 ts_ns;        /* CLOCK_BOOTTIME at entry, ns */
	__u64 seq;          /* of this session; names the iocb */
	__u64 ino;          /* inode number */
	__u64 offset;       /* file offset, bytes, after the write checks */
	__u64 mapped_end;   /* end offset of the farthest mapping, bytes */
	__u64 alloc_end;    /* end offset of the farthest new block; 0: none */
	__u64 isize_before; /* bytes */
	__u64 isize_after;  /* bytes */
	__u64 trim_from;    /* i_size when the truncate was entered */
	__u64 past_eof;     /* bytes of own blocks past EOF at exit */
	__u64 prealloc;     /* bytes of foreign blocks past EOF */
	__u64 exposed_ns;   /* past EOF without orphan entry, ns */
	__u64 latency_ns;   /* entry to exit or completion, ns */
	__u32 submitted;    /* bytes asked for (the kernel caps at 2 GiB) */
	__u32 mapped;       /* bytes covered by mappings, saturating */
	__u32 dio_size;     /* given to ->end_io, bytes */
	__s32 ret;          /* bytes or -errno */
	__s32 fallback;     /* bytes or -errno */
	__u32 pid;          /* thread group */
	__u32 tid;
	__u32 dev; /* kernel dev_t: major << 20 | minor */
	__u32 gen; /* inode generation */
	__u32 flags;
	char comm[E4D_COMM_LEN];
	__s16 dio_error; /* -errno given to ->end_io */
	__s16 trim_ret;  /* 0 or -errno */
	__u16 extents;   /* number of mappings, saturating */
	__u16 cpu;       /* CPU of completion */
	__u16 seen;
	__u8 doubt;
	__u8 blkbits; /* log2 of the block size */
	__u8 tier;
	__u8 verdict;
	__u8 evidence;
	__u8 version;
};

_Static_assert(sizeof(struct e4d_record) == 176, "the record is an ABI");

#endif
