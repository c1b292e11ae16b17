/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Sums for each file, and for each process while somebody wants them, kept by the
 * programs in bounded tables that user space maps. A file's key is its inode's id,
 * a process's is twice its number: one compare-and-swap claims a place. Eight
 * keys are one cache line, and a key may lie in two such lines; what finds no place
 * is counted in its CPU's `other`.
 *
 * Only the programs claim, only user space frees. A key may be there twice (two
 * CPUs claimed at once): the reader adds up. To free a place: key |=
 * E4D_LEAVING, as the programs do when the inode is evicted or the process ends, so
 * that no update finds it; a refresh later, when each program that had found it has
 * ended, read and zero the sums, then the key.
 */
#ifndef E4D_SUMS_H
#define E4D_SUMS_H

#include "verdict.h"

#define E4D_FILES     8192 /* places, powers of two */
#define E4D_PROCESSES 2048
#define E4D_WAYS      8    /* power of two */
#define E4D_LEAVING   1ULL /* keys are even */
#define E4D_LATENCIES 32

/* Three cache lines; a plain write changes two words. */
struct e4d_sums {
	__u64 submitted; /* bytes */
	__s64 unmapped;  /* submitted - mapped, of writes that were followed, bytes */
	__u64 over;      /* mapped beyond what was submitted, of the same, bytes */
	__u64 who;       /* inode or process number; 0: not yet written down */
	union {
		struct {
			__u32 dev, gen; /* of the inode that claimed the place */
			__u32 last_pid; /* of one write in 64 or so */
			__u32 flags;    /* E4D_F_* of the same, and of all that were followed */
		};
		char comm[E4D_COMM_LEN]; /* a process's, or empty */
	};
	__u32 extending, shorts, errors, findings;
	/* by log2 of ns, [0]: not known; their sum is the number of writes */
	__u32 latency[E4D_LATENCIES];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct e4d_sums) == 192, "three cache lines");

/* What costs each write a little more, and is done only while user space wants it. */
enum e4d_wanted {
	E4D_WANT_PROCESSES = 1u << 0, /* sums for each process */
	E4D_WANT_FLIGHTS = 1u << 1,   /* whose, and where, a plain write under way is */
};

/* Of how many writes one is looked at more closely, less one; a mask. */
#define E4D_SAMPLE 63

/* The first of the two lines that a key may lie in; the other is its neighbour, line ^ 1. */
static __always_inline __u32 e4d_line(__u64 key, __u32 places)
{
	return (__u64)((__u32)key * 0x9e3779b1u) * (places / E4D_WAYS) >> 32;
}

/* log2 by halves, for BPF has no instruction for it; 0 for 0. */
static __always_inline __u32 e4d_log2(__u64 x)
{
	__u32 v = x >> 32 ? ~0u : (__u32)x, r, s;

	r = (v > 0xffff) << 4;
	v >>= r;
	s = (v > 0xff) << 3;
	v >>= s;
	r |= s;
	s = (v > 0xf) << 2;
	v >>= s;
	r |= s;
	s = (v > 3) << 1;
	v >>= s;
	return r | s | v >> 1;
}

/* log2 of a latency in units of 1024 ns, for the first 256 of them. */
#define E4D_4(x)  x, x, x, x
#define E4D_16(x) E4D_4(x), E4D_4(x), E4D_4(x), E4D_4(x)
static const __u8 e4d_log2_near[256] = {
	9,          10,         11,         11,         E4D_4(12),  E4D_4(13),
	E4D_4(13),  E4D_16(14), E4D_16(15), E4D_16(15), E4D_16(16), E4D_16(16),
	E4D_16(16), E4D_16(16), E4D_16(17), E4D_16(17), E4D_16(17), E4D_16(17),
	E4D_16(17), E4D_16(17), E4D_16(17), E4D_16(17),
};

/* The row of a latency: all below 1024 ns are in one, that of 512. */
static __always_inline __u32 e4d_latency_row(__u64 ns)
{
	__u64 near = ns >> 10;

	return near < 256 ? e4d_log2_near[near] : e4d_log2(ns);
}

/* How a write that was followed counts. */
static __always_inline __u32 e4d_latency_of(const struct e4d_record *r)
{
	return r->latency_ns ? e4d_latency_row(r->latency_ns) & (E4D_LATENCIES - 1) : 0;
}

/* Bytes mapped beyond the blocks that the write touches. */
static __always_inline __u64 e4d_over_mapped(const struct e4d_record *r)
{
	__u8 bits = r->blkbits & 31;
	__u64 blocks = e4d_up(r->offset + r->submitted, bits) - (r->offset >> bits << bits);

	return r->mapped > blocks ? r->mapped - blocks : 0;
}

static __always_inline int e4d_is_error(const struct e4d_record *r)
{
	return (r->seen & E4D_SEEN_RET) && r->ret < 0;
}

static __always_inline int e4d_is_short(const struct e4d_record *r)
{
	return (r->seen & E4D_SEEN_RET) && r->ret >= 0 && (__u32)r->ret < r->submitted;
}

#endif
