/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * In-flight state of one direct write. The BPF side owns it; user space maps
 * the table and may settle a write that waits (E4D_PHASE_PENDING), with the
 * same claim protocol: compare-and-swap the key to E4D_KEY_TAKEN, read, free.
 *
 * A synchronous write lives in its thread's slot. An asynchronous one lives in
 * a slot of its iocb, because it completes elsewhere; the thread's slot then
 * only links to it, for the events that carry no iocb.
 */
#ifndef E4D_SLOT_H
#define E4D_SLOT_H

#include "verdict.h"

#define E4D_KEY_TAKEN  1ULL
#define E4D_KEY_THREAD (1ULL << 32) /* | tid; kernel addresses lie far above */
#define E4D_CALLS      6            /* kprobe tier: nested calls remembered */
#define E4D_RUNS       4            /* power of two */
#define E4D_NO_CUT     (~0ULL)

enum e4d_phase {
	E4D_PHASE_DIO = 0,  /* mappings count */
	E4D_PHASE_DONE = 1, /* ->end_io was called on the submitting thread */
	/* from here on it waits, and is counted in E4D_C_PENDING */
	E4D_PHASE_PENDING = 2, /* tracepoint tier: complete, what follows is not */
	E4D_PHASE_BLIND = 3,   /* tracepoint tier before 6.6: no completion is seen */
	E4D_PHASE_STRAY = 4,   /* blocks past EOF by a thread without a write: whose? */
};

/*
 * New blocks, bytes [start, end). Runs have gaps of foreign blocks or holes
 * between them; what does not fit widens the last.
 */
struct e4d_run {
	__u64 start, end;
};

/* Arguments of a probed call, kept for its return (kprobe tier). */
struct e4d_call {
	__u64 arg[2];
	__u64 fn;
};

struct e4d_slot {
	__u64 key;      /* 0: free */
	__u64 link;     /* thread slot: key of the iocb's slot; 0: state is here */
	__u64 link_seq; /* and its sequence number */
	__u64 iocb;
	__u64 inode;
	__u64 live; /* end of the farthest own block still there */
	struct e4d_run runs[E4D_RUNS];
	__u64 run_count;
	__u64 cover;     /* end of what was allocated for the mapping under way */
	__u64 mapped_to; /* end of what `mapped` has counted */
	__u64 cut;       /* lowest block removed by the truncate under way */
	__u64 cut_low;   /* lowest boundary of the truncates that worked */
	__u64 isize;     /* i_size at the last event */
	__u64 isize_end; /* i_size after ->end_io */
	__u64 exposed_since;
	__u64 event_ns; /* last event of a waiting write; 0: in a truncate */
	__u64 call;     /* the system call that a waiting write is in */
	__u32 generation;
	__u32 phase;
	__u32 spill;      /* home slot: how far its keys were displaced, ever */
	__u32 own_end_io; /* ->end_io ran on the submitting thread */
	__u32 depth;      /* of calls */
	__u32 truncating; /* in a truncate of its own */
	__u32 end_io_failed;
	__u32 tid; /* kprobe tier: the thread whose slot this is; else 0 */
	__u32 pad;
	__u64 found; /* 1 + the block where a mapping found unwritten blocks */
	struct e4d_call calls[E4D_CALLS];
	struct e4d_record rec;
};

/*
 * Names one system call of a thread well enough to tell whether it is still in
 * it: number, first four arguments, and where it was called from. Computed on
 * both sides, here from registers, there from /proc/PID/task/TID/syscall.
 */
static __always_inline __u64 e4d_call_id(__u64 nr, __u64 a0, __u64 a1, __u64 a2, __u64 a3, __u64 pc)
{
	__u64 h = nr + 1;

	h = h * 0x9e3779b97f4a7c15ULL ^ a0;
	h = h * 0x9e3779b97f4a7c15ULL ^ a1;
	h = h * 0x9e3779b97f4a7c15ULL ^ a2;
	h = h * 0x9e3779b97f4a7c15ULL ^ a3;
	return h * 0x9e3779b97f4a7c15ULL ^ pc;
}

/* Is it for the thread's next step, or for patience, to end this write? */
static __always_inline int e4d_waits(const struct e4d_slot *s)
{
	return s->phase >= E4D_PHASE_PENDING;
}

/* Bytes of the write's own blocks that lie past the block holding EOF. */
static __always_inline __u64 e4d_past_eof(const struct e4d_slot *s, __u64 isize)
{
	__u64 from = e4d_up(isize, s->rec.blkbits), sum = 0;

	if (s->live <= from)
		return 0;
	for (int i = 0; i < E4D_RUNS; i++) {
		__u64 start = s->runs[i].start;

		if (start < from)
			start = from;
		if (s->runs[i].end > start)
			sum += s->runs[i].end - start;
	}
	return sum;
}

/*
 * Turns state into a judged record: pure but for the slot itself. now is
 * CLOCK_BOOTTIME ns; s->isize is i_size at exit.
 */
static __always_inline void e4d_settle(struct e4d_slot *s, __u64 now)
{
	struct e4d_record *r = &s->rec;
	__u64 grown;

	r->isize_after = s->isize;
	r->past_eof = e4d_past_eof(s, s->isize);
	if (s->exposed_since) {
		if (now > s->exposed_since)
			r->exposed_ns += now - s->exposed_since;
		s->exposed_since = 0;
	}
	/* EOF came to lie past the cut, and no fallback wrote there anew */
	if (s->cut_low < e4d_up(s->isize, r->blkbits) && s->cut_low < r->mapped_end &&
	    !((r->seen & E4D_SEEN_FALLBACK) && r->fallback > 0))
		r->flags |= E4D_F_OVERTRIM;
	grown = (r->seen & E4D_SEEN_END_IO) ? s->isize_end : s->isize;
	/* a write that does not extend may see another's i_size */
	if ((r->seen & E4D_SEEN_RET) && r->ret <= 0 && grown > r->isize_before &&
	    (r->flags & E4D_F_EXTEND) && ((r->seen & E4D_SEEN_END_IO) || (r->flags & E4D_F_DAX)))
		r->flags |= E4D_F_SIZE_MOVED;
	r->verdict = e4d_verdict(r);
}

#endif
