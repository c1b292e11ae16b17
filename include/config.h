/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What user space tells the BPF side before load (read-only data: the verifier
 * prunes what is off), and the limits that both sides share.
 */
#ifndef E4D_CONFIG_H
#define E4D_CONFIG_H

#include "record.h"

/* Power of two; 8192 writes in flight fill half of it. */
#define E4D_SLOTS 16384
/* A claim looks at this many slots before it counts `state_full`. */
#define E4D_PROBES      16
#define E4D_GENERATIONS 4096
#define E4D_RING_BYTES  (4u << 20)

/*
 * How ext4's own inode (orphan list, i_disksize, extent root) is read, and in the
 * kprobe tier all else.
 */
enum e4d_inode_access {
	E4D_INODE_NONE = 0,  /* lockdown, and no kfunc: orphan and exposure unknown */
	E4D_INODE_CAST = 1,  /* kfunc bpf_rdonly_cast (6.2): no helper */
	E4D_INODE_PROBE = 2, /* bpf_probe_read_kernel */
};

/* The way of a write inside EOF. */
enum e4d_begin {
	E4D_BEGIN_SLOW = 0, /* there is a filter */
	E4D_BEGIN_FAST = 1, /* counted, or timed */
	E4D_BEGIN_ALL = 2,  /* with a record */
};

struct e4d_config {
	__u32 self_tgid;   /* never traced: our own output */
	__u32 dev;         /* 0: every ext4 */
	__u64 ino;         /* 0: every inode */
	__u32 tgid;        /* 0: every process */
	__u8 all;          /* emit every write */
	__u8 files;        /* sums and latencies for each file: see sums.h */
	__u8 begin;        /* enum e4d_begin */
	__u8 extend_only;  /* state only for writes that may extend */
	__u8 inode_access; /* enum e4d_inode_access */
	__s8 orphan_bit;   /* EXT4_STATE_ORPHAN_FILE in i_flags, -1: none */
	__u8 overwrite;    /* the ring's oldest, where it is full: the flight recorder */
	__u8 pad;
	__u32 ring_rows; /* powers of two: see flight.h */
	__u32 ring_pages;
	__u64 comm[2];      /* the submitting thread's name, zeros behind its end */
	__u64 comm_mask[2]; /* what of it counts, the end included; 0: every name */
};

/*
 * Counters: one row for each CPU, plain u64, added to atomically because
 * programs may be preempted. Names are part of every output.
 */
enum e4d_counter {
	E4D_C_WRITES = 0, /* direct writes begun, after the filter */
	E4D_C_DONE,       /* of these, finished */
	E4D_C_EXTEND,     /* finished, extending */
	E4D_C_PRODUCED,   /* records meant for the ring; with cfg.all the session adds INSIDE */
	E4D_C_RING_FULL,  /* of these, dropped: ring full */
	E4D_C_STATE_FULL, /* writes without a state slot: not seen at all */
	E4D_C_STALE,      /* states closed half seen */
	E4D_C_STACK_FULL, /* kprobe tier: argument stack overflow */
	E4D_C_FILTERED,   /* direct writes that the filter left out */
	E4D_C_PENDING,    /* tracepoint tier: states that wait to be settled */
	E4D_C_SUBMITTED,  /* bytes submitted by finished writes */
	E4D_C_MAPPED,     /* bytes mapped for finished writes that were followed */
	E4D_C_VERDICT0,   /* one for each verdict */
	E4D_C_VERDICT_LAST = E4D_C_VERDICT0 + E4D_VERDICT_COUNT - 1,
	/* writes inside EOF that were counted at their begin and not followed: the
	 * session adds them to WRITES, DONE, CLEAN and SUBMITTED */
	E4D_C_INSIDE,
	E4D_C_INSIDE_BYTES,
	E4D_C_COUNT,
};

struct e4d_counters {
	__u64 v[32];
};

_Static_assert(E4D_C_COUNT <= 32, "counters fit their row");

#endif
