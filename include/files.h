/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Sums for each file, kept by the programs in a bounded table that user space
 * maps. A file is dev << 32 | ino (both have 32 bits in ext4), so that one
 * compare-and-swap claims a place. Eight keys are one cache line, and a file may lie in
 * two such lines; what finds no place is counted in its CPU's `other`.
 *
 * Only the programs claim, only user space frees. A file may be there twice (two
 * CPUs claimed at once): the reader adds up. To free a place: key |=
 * E4D_FILE_LEAVING, so that no update finds it; a refresh later, when every
 * program that found it before has ended, read and zero the sums, then the key.
 */
#ifndef E4D_FILES_H
#define E4D_FILES_H

#include "verdict.h"

#define E4D_FILES        8192 /* power of two */
#define E4D_FILE_WAYS    8
#define E4D_FILE_BUCKETS (E4D_FILES / E4D_FILE_WAYS)
#define E4D_FILE_LEAVING (1ULL << 63) /* no device has a major of 2048 or more */
#define E4D_LATENCIES    32

enum e4d_file_what {
	E4D_FILE_EXTEND = 1,
	E4D_FILE_SHORT = 2,
	E4D_FILE_ERROR = 4,
	E4D_FILE_FINDING = 8,
};

/* Three cache lines; a plain write changes two words. */
struct e4d_file {
	__u64 submitted; /* bytes */
	__s64 unmapped;  /* submitted - mapped, of writes that were followed, bytes */
	__u32 extending, shorts, errors, findings;
	__u32 last_pid; /* of one write in 64 or so */
	__u32 spare[7];
	__u32 latency[E4D_LATENCIES]; /* by log2 of ns; their sum is the number of writes */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct e4d_file) == 192, "three cache lines");

struct e4d_file_bucket {
	__u64 key[E4D_FILE_WAYS];
} __attribute__((aligned(64)));

static __always_inline __u64 e4d_file_key(__u32 dev, __u64 ino)
{
	return (__u64)dev << 32 | (__u32)ino;
}

/* The row of a latency: log2, by halves, for BPF has no instruction for it. */
static __always_inline __u32 e4d_log2(__u64 ns)
{
	__u32 v = ns >> 32 ? ~0u : (__u32)ns, r, s;

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

#endif
