/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Which test a write belongs to: fstests and blktests say in the kernel's log when
 * each test begins, and the log has a clock of its own. All pure.
 */
#ifndef E4D_MARKS_H
#define E4D_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define E4D_MARK_NAME 64

/* An instant that is known to lie within [from, to], CLOCK_BOOTTIME ns. */
struct e4d_span {
	uint64_t from, to;
};

/*
 * From the log's clock to CLOCK_BOOTTIME. printk stamps with local_clock(): it runs at
 * the rate of the boot's calibration, does not count suspend, and is not steered by NTP.
 * So the offset is not computed but learnt, from what is true however late a line is
 * read. `added` is CLOCK_BOOTTIME - CLOCK_MONOTONIC_RAW, ns: it changes by what suspend
 * and NTP put between the two; beyond that the clocks are trusted to drift by 500 ppm.
 */
struct e4d_logclock {
	bool known;
	int64_t lo, hi; /* BOOTTIME - log, ns: within, at `log` */
	int64_t log;    /* ns */
	int64_t added;
};

/*
 * Learns from a message stamped log_us that was written within `seen`; returns where
 * it lies. Where the two contradict, both stay possible until the next message.
 */
struct e4d_span e4d_logclock_place(struct e4d_logclock *c, uint64_t log_us, struct e4d_span seen,
                                   int64_t added);

/* Has CLOCK_BOOTTIME only drifted since the message before log_us? */
bool e4d_logclock_steady(const struct e4d_logclock *c, uint64_t log_us, int64_t added);

/*
 * Takes a record of /dev/kmsg apart ("12,3686,25320003189,-;run fstests generic/091 at
 * 2026-05-04 13:02:11\n KEY=value"). Returns false when it is none; *text is its first
 * line, *len bytes.
 */
bool e4d_kmsg_parse(const char *rec, size_t size, uint64_t *log_us, const char **text, size_t *len);

/*
 * The test that the line names: "run fstests NAME at DATE", the same with blktests.
 * Returns the suite, "fstests" or "blktests"; NULL when it is another line. A longer
 * name is cut.
 */
const char *e4d_mark_parse(const char *text, size_t len, char name[E4D_MARK_NAME]);

/* What happened while a test was under way. */
struct e4d_tally {
	uint64_t writes, extending, unknown;
	uint64_t findings; /* of this test */
	uint64_t maybe;    /* of this test, or of another that began or ended then */
};

struct e4d_mark {
	const char *suite;        /* static: "fstests" or "blktests"; NULL: no test's */
	char name[E4D_MARK_NAME]; /* "": before the first, or lost */
	bool lost;                /* the log was overwritten: marks may be missing from here on */
	struct e4d_span begin;
	uint64_t log_us; /* its stamp; 0: begin cannot be refined */
	struct e4d_tally tally;
};

/* v[0] is what came before the first mark. */
struct e4d_marks {
	struct e4d_mark *v; /* owned */
	size_t n;
};

/* 0 or -ENOMEM. */
int e4d_marks_open(struct e4d_marks *m);

/*
 * A later one, with suite NULL one that says that marks may be lost; a span that
 * reaches before the last one's is cut. 0 or -ENOMEM.
 */
int e4d_marks_add(struct e4d_marks *m, const char *suite, const char *name, struct e4d_span begin);

/* A line that is there was written at `to` at the latest: what was lost before it, earlier. */
void e4d_marks_go_on(struct e4d_marks *m, uint64_t to);

/* Places v[first] and later once more, now that the clock knows more. */
void e4d_marks_refine(struct e4d_marks *m, size_t first, const struct e4d_logclock *c);

/* v[*first] to v[*last]: all that may have been under way at boot_ns. */
void e4d_marks_find(const struct e4d_marks *m, uint64_t boot_ns, size_t *first, size_t *last);

/* The widest span of v[first] and later, ns: how far off a begin may be. */
uint64_t e4d_marks_error(const struct e4d_marks *m, size_t first);

void e4d_marks_close(struct e4d_marks *m);

#endif
