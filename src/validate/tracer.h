/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The tracer in this process, as a witness of the cases' writes. */
#ifndef E4D_VALIDATE_TRACER_H
#define E4D_VALIDATE_TRACER_H

#include <sys/types.h>

#include "validate/validate.h"

struct e4d_session;

struct e4d_vtracer {
	struct e4d_session *session; /* NULL: none, and why says so */
	enum e4d_tier tier;          /* of the first session that there was */
	dev_t dev;
	struct e4d_vresult *results; /* the caller's, with `ino` set before the write */
	size_t count;
	uint64_t lost;    /* in all sessions that have ended */
	char losses[320]; /* "NAME COUNT, ...", of each of them */
	char why[1024];
};

/*
 * Attaches to direct writes on dev; tier E4D_TIER_NONE is the best, or the one that
 * was found before. Records are noted in the result that has their inode. A session that
 * is on dev already goes on, with other results. 0 or -errno with t->why.
 */
int e4d_vtracer_open(struct e4d_vtracer *t, dev_t dev, enum e4d_tier tier,
                     struct e4d_vresult *results, size_t count);

/* One step of some milliseconds; without a tracer it only waits. */
void e4d_vtracer_tick(struct e4d_vtracer *t);

/*
 * Waits for records that are due, and judges the tracer by each result. With `last`, or
 * when some do not come, it detaches before it judges.
 */
void e4d_vtracer_settle(struct e4d_vtracer *t, bool last);
void e4d_vtracer_close(struct e4d_vtracer *t);

#endif
