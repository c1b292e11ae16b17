/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What counts as a leak: one pure function over the write record, used by the
 * BPF side ("is it suspicious?"), by user space and by the unit tests.
 *
 * The kernel side has reduced the write's history to the record's fields:
 *   live      = alloc_end, cut by each truncate that worked (SEEN_TRIM_CUT)
 *   past_eof  = bytes of own blocks between up(isize_after) and live
 * so that the rules below need no kernel state. First match wins.
 */
#ifndef E4D_VERDICT_H
#define E4D_VERDICT_H

#include "record.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* Rounds x up to a multiple of 1 << bits. */
static __always_inline __u64 e4d_up(__u64 x, __u8 bits)
{
	__u64 mask = (1ULL << (bits & 31)) - 1;

	return (x + mask) & ~mask;
}

/* Returns the verdict over a finished record; reads nothing else. */
static __always_inline enum e4d_verdict e4d_verdict(const struct e4d_record *r)
{
	if (r->doubt)
		return E4D_UNKNOWN;
	if (r->past_eof && (r->seen & E4D_SEEN_TRIM_BAD))
		return E4D_TRIM_FAILED;
	if (r->past_eof)
		return E4D_LEAK;
	if (r->seen & E4D_SEEN_TRIM_CUT)
		return E4D_TRIMMED;
	if ((r->seen & E4D_SEEN_SHORT_PAST) && (r->seen & E4D_SEEN_FALLBACK) && r->fallback > 0)
		return E4D_REUSED;
	if (r->exposed_ns)
		return E4D_EXPOSED;
	if (r->prealloc)
		return E4D_PREALLOC;
	return E4D_CLEAN;
}

/* A finding turns exit 0 into 1; exposure counts only when strict. */
static __always_inline int e4d_is_finding(const struct e4d_record *r, int strict)
{
	if (r->verdict == E4D_LEAK || r->verdict == E4D_TRIM_FAILED)
		return 1;
	return strict && r->verdict != E4D_UNKNOWN && r->exposed_ns != 0;
}

/* What leaves the kernel even without --all, besides extending writes. */
static __always_inline int e4d_is_suspicious(const struct e4d_record *r)
{
	return (r->verdict != E4D_CLEAN && r->verdict != E4D_PREALLOC) ||
	       (r->flags & (E4D_F_OVERTRIM | E4D_F_SIZE_MOVED | E4D_F_ASYNC_EXTEND));
}

#endif
