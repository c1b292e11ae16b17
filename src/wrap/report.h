/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What came of a wrapped command, for people and for programs. */
#ifndef E4D_WRAP_REPORT_H
#define E4D_WRAP_REPORT_H

#include "exitcode.h"
#include "record.h"
#include "util/clock.h"
#include "wrap/child.h"
#include "wrap/marks.h"

#define E4D_WRAP_FINDINGS 10000 /* are listed; more are counted */
#define E4D_WRAP_LOSSES   64

struct e4d_wrap_finding {
	struct e4d_record rec;
	char *path;         /* owned; NULL: not known */
	size_t first, last; /* marks: the tests that it may belong to */
	enum e4d_kin kin;   /* NO: of a process that the command did not start */
};

struct e4d_wrap_loss {
	char name[96];
	uint64_t count;
};

struct e4d_wrap_result {
	char *const *argv;
	struct e4d_child child;
	struct e4d_marks marks;
	struct e4d_tally other; /* writes by processes that the command did not start */
	struct e4d_wrap_finding *findings;
	size_t finding_count;
	uint64_t unlisted; /* of the findings, all of which are counted */
	uint64_t maybe;    /* findings with several candidates, each once */
	uint64_t unasked;
	struct e4d_wrap_loss losses[E4D_WRAP_LOSSES];
	size_t loss_count;
	uint64_t lost;
	const char *no_marks; /* NULL: the log was read; else why not */
	uint64_t gaps;
	bool strict;
	enum e4d_tier tier;
	struct e4d_clock clock;
};

/* Sums over all tests; findings with several candidates count once. Pure. */
struct e4d_tally e4d_wrap_sum(const struct e4d_wrap_result *r);

/*
 * A finding, whoever's, outranks a command that failed, that outranks blindness, that
 * outranks "nothing seen of the command". Pure.
 */
enum e4d_exit e4d_wrap_exit(const struct e4d_wrap_result *r);

/* "ended with 0", "was ended by signal 15 (Terminated)". */
void e4d_wrap_status(const struct e4d_child *c, char *buf, size_t len);

/* What a mark is called where it has no name. */
const char *e4d_wrap_mark_name(const struct e4d_wrap_result *r, size_t mark);

/* As "text" or "json". 0 or -errno. */
int e4d_wrap_report(const struct e4d_wrap_result *r, const char *format, int fd);

#endif
