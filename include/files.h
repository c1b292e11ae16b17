/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Sums for each file, kept by the programs in a bounded table that user space
 * maps. A file's key is its inode's id: one compare-and-swap claims a place.
 * Eight keys are one cache line, and a file may lie in two such lines; what finds
 * no place is counted in its CPU's `other`.
 *
 * Only the programs claim, only user space frees. A file may be there twice (two
 * CPUs claimed at once): the reader adds up. To free a place: key |=
 * E4D_FILE_LEAVING, as the programs do when the inode is evicted, so that no
 * update finds it; a refresh later, when each program that had found it has
 * ended, read and zero the sums, then the key.
 */
#ifndef E4D_FILES_H
#define E4D_FILES_H

#include "verdict.h"

#define E4D_FILES        8192 /* power of two */
#define E4D_FILE_WAYS    8    /* power of two */
#define E4D_FILE_LEAVING 1ULL /* ids are even */
#define E4D_LATENCIES    32

/* Three cache lines; a plain write changes two words. */
struct e4d_file {
	__u64 submitted; /* bytes */
	__s64 unmapped;  /* submitted - mapped, of writes that were followed, bytes */
	__u64 ino;
	__u32 dev, gen; /* of the inode that claimed the place */
	__u32 extending, shorts, errors, findings;
	__u32 last_pid; /* of one write in 64 or so */
	__u32 spare[3];
	/* by log2 of ns, [0]: not known; their sum is the number of writes */
	__u32 latency[E4D_LATENCIES];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct e4d_file) == 192, "three cache lines");

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

static __always_inline int e4d_is_error(const struct e4d_record *r)
{
	return (r->seen & E4D_SEEN_RET) && r->ret < 0;
}

static __always_inline int e4d_is_short(const struct e4d_record *r)
{
	return (r->seen & E4D_SEEN_RET) && r->ret >= 0 && (__u32)r->ret < r->submitted;
}

#endif
