/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A write inside EOF that allocates nothing, under way: all that it needs. What
 * else becomes of it makes it a followed write with a slot.
 */
#ifndef E4D_PLAIN_H
#define E4D_PLAIN_H

#ifndef __VMLINUX_H__
#include <stdbool.h>
#endif
#include "verdict.h"

struct e4d_plain {
	__u64 iocb;  /* 0: free */
	__u64 ts_ns; /* CLOCK_BOOTTIME */
	__u64 inode;
	__u32 submitted;
	/* but for `place`, from here on only with cfg.all, or some of it while it is wanted:
	 * see e4d_knows() */
	__u32 mapped;
	__u32 ino;
	__u32 dev;
	__u64 id;    /* pid_tgid of the submitter */
	__u32 place; /* of its file, as of the write before: a hint */
	__u32 gen;
	__u64 seq; /* without cfg.all: ts_ns of the write that `known` is of */
	__u64 offset;
	__u64 isize;
	__u64 mapped_end;
	__u32 dio_size;
	__u32 flags; /* E4D_F_* */
	__u32 ki_flags;
	__u16 extents;
	__s16 dio_error;
	__u16 seen;
	__u8 blkbits;
	__u8 known;          /* enum e4d_wanted; from here on without cfg.all */
	__u32 process_place; /* of its process, a hint as `place` is */
	__u64 call;          /* the system call it is in: slot.h */
	__u32 claims;        /* without compare-and-swap (5.10): who has it, or tries to */
	__u32 pad;
};

_Static_assert(sizeof(struct e4d_plain) == 128, "two cache lines");

/* False: another write is there. One of the same iocb is over, and its end was missed. */
static __always_inline bool e4d_plain_claim(struct e4d_plain *p, __u64 iocb)
{
#ifdef E4D_NO_CMPXCHG
	if (p->iocb == iocb)
		return true;
	/* of two at once one has it, or none has: who is refused is counted by the caller */
	__sync_fetch_and_add(&p->claims, 1);
	if (p->claims != 1) {
		__sync_fetch_and_add(&p->claims, -1);
		return false;
	}
	p->iocb = iocb;
	return true;
#else
	__u64 was = __sync_val_compare_and_swap(&p->iocb, 0, iocb);

	return !was || was == iocb;
#endif
}

static __always_inline void e4d_plain_free(struct e4d_plain *p)
{
	p->iocb = 0;
#ifdef E4D_NO_CMPXCHG
	__sync_fetch_and_add(&p->claims, -1);
#endif
}

/*
 * Without cfg.all: does it tell of this write what was wanted? Of whichever: id.
 * E4D_WANT_FLIGHTS: ino, dev, gen, offset, flags, call.
 */
static __always_inline bool e4d_knows(const struct e4d_plain *p, __u8 wanted)
{
	return p->seq == p->ts_ns && (p->known & wanted);
}

/*
 * The record of one that came through as a whole, or not at all; all but comm.
 * isize and now are those of its end, ret what it returned.
 */
static __always_inline void e4d_plain_record(struct e4d_record *r, const struct e4d_plain *p,
                                             __u64 isize, __s32 ret, __u64 now)
{
	r->ts_ns = p->ts_ns;
	r->seq = p->seq;
	r->ino = p->ino;
	r->offset = p->offset;
	r->mapped_end = p->mapped_end;
	r->alloc_end = 0;
	r->isize_before = p->isize;
	r->isize_after = isize;
	r->trim_from = 0;
	r->past_eof = 0;
	r->prealloc = 0;
	r->exposed_ns = 0;
	r->latency_ns = now - p->ts_ns;
	r->submitted = p->submitted;
	r->mapped = p->mapped;
	r->dio_size = p->dio_size;
	r->ret = ret;
	r->fallback = 0;
	r->pid = p->id >> 32;
	r->tid = (__u32)p->id;
	r->dev = p->dev;
	r->gen = p->gen;
	r->flags = p->flags;
	r->dio_error = p->dio_error;
	r->trim_ret = 0;
	r->extents = p->extents;
	r->seen = p->seen | E4D_SEEN_RET;
	r->doubt = 0;
	r->blkbits = p->blkbits;
	r->verdict = E4D_CLEAN;
	r->evidence = E4D_OBSERVED;
	r->version = E4D_RECORD_VERSION;
}

/* What is seen of such a write. */
#define E4D_BRIEF_SEEN (E4D_SEEN_END_IO | E4D_SEEN_DIO_SIZE | E4D_SEEN_MAP)

static __always_inline __u64 e4d_block(__u64 offset, __u8 blkbits)
{
	return offset & ~((1ULL << (blkbits & 31)) - 1);
}

/*
 * Does half a record (E4D_EV_INSIDE) say all of one that came through as a whole? What
 * it does not say follows from that. isize and ret are those at its end.
 */
static __always_inline bool e4d_is_brief(const struct e4d_plain *p, __u64 isize, __s64 ret,
                                         __u64 latency_ns)
{
	return ret == p->submitted && p->seen == E4D_BRIEF_SEEN && isize == p->isize &&
	       !p->dio_error && p->dio_size == p->submitted && !(latency_ns >> 32) &&
	       p->extents < 256 && p->mapped_end >= p->offset + p->submitted &&
	       p->mapped_end == e4d_block(p->offset, p->blkbits) + p->mapped;
}

#endif
