/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the programs keep in .bss; user space maps it. */
#ifndef E4D_SHARED_H
#define E4D_SHARED_H

#include "config.h"
#include "flight.h"
#include "plain.h"
#include "slot.h"
#include "sums.h"

#define E4D_ROWS       256 /* power of two; CPUs beyond share rows */
#define E4D_BUSY_BITS  13
#define E4D_PLAIN_BITS 12

/* Something was missed after `from` and until `to`, CLOCK_BOOTTIME ns. */
struct e4d_missed_span {
	__u64 from, to;
};

#define E4D_SPANS 64

/* The last spans of one kind; when there is no room the two oldest become one. */
struct e4d_missed_spans {
	__u64 n;
	struct e4d_missed_span at[E4D_SPANS];
};

/*
 * When events were missed. User space's; here it outlives the process, for who reads
 * the ring after it. By enum e4d_miss.
 */
struct e4d_missed {
	__u64 read_ns; /* when the counts were read last */
	__u64 sum[3];  /* as they were then */
	struct e4d_missed_spans of[3];
};

/*
 * i_size as another thread's writeback found it, by inode. A commit may write the pages of a
 * fallback before the writer itself comes to it, which is then not seen.
 */
#define E4D_MOVED_BITS 6

struct e4d_moved {
	__u64 inode, isize, ns;
};

/*
 * busy counts the states whose iocb or inode (kprobe tier: or thread) falls into
 * a bucket: at zero a hook has nothing to do, and found out without looking for one.
 */
struct e4d_shared {
	/* read by each write, and within reach of a load's own offset */
	__u32 strays; /* states whose iocb is not known */
	__u32 wanted; /* enum e4d_wanted; user space says */
	__u32 sample; /* E4D_SAMPLE, or 0: each write is looked at more closely */
	__u32 whole;  /* all hooks are attached: what has no state passed its begin; user space says
	               */
	__u32 pad[12];
	struct e4d_counters rows[E4D_ROWS];
	struct e4d_ring_row ring[E4D_ROWS];
	struct e4d_missed missed;
	__u32 busy[1 << E4D_BUSY_BITS];
	__u64 next_seq;
	__u64 pad2[7];
	struct e4d_moved moved[1 << E4D_MOVED_BITS];
	struct e4d_plain plain[1 << E4D_PLAIN_BITS]; /* by iocb */
	__u16 of_thread[1 << E4D_PLAIN_BITS];        /* by tid: its last in `plain` */
	__u64 file_key[E4D_FILES];                   /* 0: free */
	struct e4d_sums file[E4D_FILES];
	struct e4d_sums file_other[E4D_ROWS];
	__u64 process_key[E4D_PROCESSES];
	struct e4d_sums process[E4D_PROCESSES];
	struct e4d_sums process_other[E4D_ROWS];
};

/* The bucket of an iocb's or an inode's id: Knuth's multiplicative hash. */
static __always_inline __u32 e4d_busy_at(__u64 id)
{
	return (__u32)id * 0x9e3779b1u >> (32 - E4D_BUSY_BITS);
}

/* A state begins (1) or ends (-1). */
static __always_inline void e4d_busy_add(struct e4d_shared *sh, const struct e4d_slot *s, __s32 n)
{
	__sync_fetch_and_add(&sh->busy[e4d_busy_at(s->inode)], n);
	if (s->iocb)
		__sync_fetch_and_add(&sh->busy[e4d_busy_at(s->iocb)], n);
	else
		__sync_fetch_and_add(&sh->strays, n);
	if (s->tid)
		__sync_fetch_and_add(&sh->busy[e4d_busy_at(s->tid)], n);
}

static __always_inline struct e4d_moved *e4d_moved_of(struct e4d_shared *sh, __u64 inode)
{
	return &sh->moved[e4d_busy_at(inode) >> (E4D_BUSY_BITS - E4D_MOVED_BITS) &
	                  ((1 << E4D_MOVED_BITS) - 1)];
}

/* Did EOF move past all blocks of a write that waits, and nobody saw a fallback? */
static __always_inline int e4d_fallback_unseen(struct e4d_shared *sh, const struct e4d_slot *s)
{
	const struct e4d_moved *m = e4d_moved_of(sh, s->inode);

	return !(s->rec.seen & E4D_SEEN_FALLBACK) && m->inode == s->inode && m->ns > s->rec.ts_ns &&
	       e4d_up(m->isize, s->rec.blkbits) >= s->live && e4d_past_eof(s, s->isize);
}

#endif
