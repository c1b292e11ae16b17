/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* wrap: lines of the kernel's log, its clock, and which test a write belongs to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "verdict.h"
#include "wrap/report.h"

#define SEC 1000000000ULL
#define MS  1000000ULL

static bool parsed(const char *rec, uint64_t *us, char text[64])
{
	const char *t = NULL;
	size_t len = 0;
	char *copy = strdup(rec); /* without a NUL behind it, for the sanitizers */
	bool ok;

	copy = realloc(copy, strlen(rec) + (rec[0] == '\0'));
	ok = e4d_kmsg_parse(copy, strlen(rec), us, &t, &len);
	if (ok)
		snprintf(text, 64, "%.*s", (int)len, t);
	free(copy);
	return ok;
}

static void test_log_lines(void **state)
{
	static const char *const none[] = {"",
	                                   "12",
	                                   "12,",
	                                   "12,3,",
	                                   "12,3,x,-;t",
	                                   ",3,4,-;t",
	                                   "12,3,4,-",
	                                   "x12,3,4;t",
	                                   "12,3,2305843009213694,-;t",
	                                   "12,3,9223372036854775807,-;t",
	                                   "12,3,99999999999999999999,-;t"};
	uint64_t us = 0;
	char text[64];

	assert_true(parsed("12,3686,25320003189,-;run fstests generic/091 at 2026\n SUB=x\n", &us,
	                   text));
	assert_int_equal(us, 25320003189);
	assert_string_equal(text, "run fstests generic/091 at 2026");
	assert_true(parsed("6,1,0,-,caller=T1;", &us, text));
	assert_string_equal(text, "");
	assert_true(parsed("6,1,7,c;a;b", &us, text));
	assert_string_equal(text, "a;b");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (parsed(none[i], &us, text))
			fail_msg("'%s'", none[i]);
}

static void test_names(void **state)
{
	static const char *const none[] = {"",
	                                   "run fstests",
	                                   "run fstests ",
	                                   "run fstests generic/091",
	                                   "run fstests  at 2026",
	                                   " run fstests generic/091 at 2026",
	                                   "Run fstests generic/091 at 2026",
	                                   "run xfstests generic/091 at 2026"};
	char name[E4D_MARK_NAME], longest[300];

	assert_string_equal(
		e4d_mark_parse("run fstests generic/091 at 2026-05-04 13:02:11", 46, name),
		"fstests");
	assert_string_equal(name, "generic/091");
	assert_string_equal(e4d_mark_parse("run blktests block/001 at 2026", 30, name), "blktests");
	assert_string_equal(name, "block/001");
	/* the length counts, not what stands behind it */
	assert_null(e4d_mark_parse("run fstests generic/091 at 2026", 25, name));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (e4d_mark_parse(none[i], strlen(none[i]), name))
			fail_msg("'%s'", none[i]);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "run fstests ", 12);
	memcpy(longest + 290, " at 2026", 8);
	assert_non_null(e4d_mark_parse(longest, sizeof(longest), name));
	assert_int_equal(strlen(name), E4D_MARK_NAME - 1);
}

/* A log that began 5 s after CLOCK_BOOTTIME did. */
static uint64_t log_us(uint64_t at)
{
	return (at - 5 * SEC) / 1000;
}

static struct e4d_span place(struct e4d_logclock *c, uint64_t at, uint64_t before, uint64_t after)
{
	struct e4d_span seen = {at - before, at + after}, got;

	got = e4d_logclock_place(c, log_us(at), seen, 0);
	assert_true(got.from + 1000 >= seen.from && got.to <= seen.to); /* never outside */
	assert_true(got.from <= at && at <= got.to);                    /* and never wrong */
	return got;
}

static void test_the_clock_is_learnt(void **state)
{
	struct e4d_logclock c = {0};
	struct e4d_span got;

	got = place(&c, 100 * SEC, 10 * MS, MS); /* nothing is known yet: the whole */
	assert_int_equal(got.to - got.from, 11 * MS);
	got = place(&c, 100 * SEC + 100 * MS, 2 * MS, 9 * MS); /* [-2, 9] and [-10, 1] */
	assert_in_range(got.to - got.from, 3 * MS, 3 * MS + 200000);
	place(&c, 100 * SEC + 200 * MS, 5000, 5000); /* its own line: 10 us */
	got = place(&c, 100 * SEC + 300 * MS, 10 * MS, 10 * MS);
	assert_true(got.to - got.from < 150000);
	/* an hour later the clocks may have drifted by 1.8 s: what was seen decides */
	got = place(&c, 3700 * SEC, 10 * MS, 10 * MS);
	assert_in_range(got.to - got.from, 20 * MS, 20 * MS + 1000);
}

/* A line without a newline is read when the next one comes, here 2 s and 2 h later. */
static void test_read_late(void **state)
{
	struct e4d_logclock c = {0};
	struct e4d_span got;

	place(&c, 100 * SEC, 5000, 5000);
	got = place(&c, 101 * SEC, 50 * SEC, 2 * SEC);
	assert_true(got.to - got.from < 1100000); /* 500 ppm of 1 s, to either side */
	got = place(&c, 103 * SEC, 4 * SEC, 50000);
	assert_true(got.to - got.from < 3 * MS);
	got = place(&c, 104 * SEC, 50 * SEC, 7200 * SEC);
	assert_true(got.to - got.from < 5 * MS);
}

/* Suspended for an hour, which the log's clock does not count. */
static void test_the_clock_jumps(void **state)
{
	const uint64_t hour = 3600 * SEC;
	struct e4d_logclock c = {0};
	struct e4d_span got;

	place(&c, 100 * SEC, 5000, 5000);
	assert_true(e4d_logclock_steady(&c, log_us(101 * SEC), 400000));
	assert_true(e4d_logclock_steady(&c, log_us(101 * SEC), -400000));
	assert_false(e4d_logclock_steady(&c, log_us(101 * SEC), 600000));
	assert_false(e4d_logclock_steady(&c, log_us(101 * SEC), (int64_t)hour));
	/* written before it, read after it; then one from behind it */
	got = e4d_logclock_place(&c, log_us(101 * SEC), (struct e4d_span){0, 102 * SEC + hour},
	                         (int64_t)hour);
	assert_true(got.from <= 101 * SEC && got.to >= 101 * SEC + hour);
	got = e4d_logclock_place(&c, log_us(102 * SEC), (struct e4d_span){0, 103 * SEC + hour},
	                         (int64_t)hour);
	assert_true(got.from <= 102 * SEC && got.to >= 102 * SEC + hour);
	/* a line of its own tells again */
	e4d_logclock_place(&c, log_us(103 * SEC),
	                   (struct e4d_span){103 * SEC + hour - 5000, 103 * SEC + hour + 5000},
	                   (int64_t)hour);
	got = e4d_logclock_place(&c, log_us(104 * SEC), (struct e4d_span){0, 105 * SEC + hour},
	                         (int64_t)hour);
	assert_true(got.from <= 104 * SEC + hour && got.to >= 104 * SEC + hour);
	assert_true(got.to - got.from < 1100000);
	/* NTP has set CLOCK_BOOTTIME back by 10 ms */
	got = e4d_logclock_place(&c, log_us(105 * SEC), (struct e4d_span){0, 106 * SEC + hour},
	                         (int64_t)hour - 10 * (int64_t)MS);
	assert_true(got.from <= 105 * SEC + hour - 10 * MS && got.to >= 105 * SEC + hour);
}

/* A jump that nothing else tells of: neither what was learnt nor what is seen is certain. */
static void test_the_clock_contradicts(void **state)
{
	struct e4d_logclock c = {0};
	struct e4d_span got;

	place(&c, 100 * SEC, 5000, 5000);
	got = e4d_logclock_place(&c, log_us(101 * SEC), (struct e4d_span){102 * SEC, 103 * SEC}, 0);
	assert_true(got.from <= 101 * SEC && got.to == 103 * SEC);
	got = e4d_logclock_place(&c, log_us(102 * SEC),
	                         (struct e4d_span){103 * SEC - 5000, 103 * SEC + 5000}, 0);
	assert_true(got.from <= 103 * SEC && got.to >= 103 * SEC && got.to - got.from < 12000);
	/* a log ahead of the boot's clock is no matter either */
	c = (struct e4d_logclock){0};
	got = e4d_logclock_place(&c, 500 * 1000000, (struct e4d_span){SEC, SEC + MS}, 0);
	assert_int_equal(got.from, SEC);
}

/* A mark that was read late is placed again by the line behind it. */
static void test_refine(void **state)
{
	struct e4d_logclock c = {0};
	struct e4d_marks m;

	assert_int_equal(e4d_marks_open(&m), 0);
	for (uint64_t i = 1; i <= 3; i++) {
		struct e4d_span wide = {90 * SEC, 110 * SEC};

		assert_int_equal(e4d_marks_add(&m, "fstests", "a", wide), 0);
		m.v[i].log_us = i == 2 ? 0 : log_us(100 * SEC + i * MS);
	}
	assert_int_equal(e4d_marks_error(&m, 1), 20 * SEC);
	place(&c, 100 * SEC + 10 * MS, 5000, 5000);
	e4d_marks_refine(&m, 1, &c);
	assert_true(m.v[1].begin.from <= 100 * SEC + MS && m.v[1].begin.to >= 100 * SEC + MS);
	assert_true(m.v[1].begin.to - m.v[1].begin.from < 30000);
	assert_int_equal(m.v[2].begin.to, 110 * SEC); /* it may not be */
	assert_true(m.v[3].begin.from > 100 * SEC + 2 * MS);
	assert_int_equal(e4d_marks_error(&m, 4), 0);
	e4d_marks_close(&m);
}

static void owner(const struct e4d_marks *m, uint64_t ns, size_t first, size_t last)
{
	size_t a = 99, b = 99;

	e4d_marks_find(m, ns, &a, &b);
	if (a != first || b != last)
		fail_msg("%llu: %zu to %zu, not %zu to %zu", (unsigned long long)ns, a, b, first,
		         last);
}

static void test_intervals(void **state)
{
	struct e4d_marks m;

	assert_int_equal(e4d_marks_open(&m), 0);
	owner(&m, 0, 0, 0);
	owner(&m, UINT64_MAX, 0, 0);
	assert_int_equal(e4d_marks_add(&m, "fstests", "a", (struct e4d_span){100, 110}), 0);
	assert_int_equal(e4d_marks_add(&m, "fstests", "b", (struct e4d_span){200, 240}), 0);
	assert_int_equal(e4d_marks_add(&m, "fstests", "c", (struct e4d_span){230, 250}), 0);
	owner(&m, 99, 0, 0);
	owner(&m, 100, 0, 1); /* it may have begun */
	owner(&m, 109, 0, 1);
	owner(&m, 110, 1, 1); /* it has */
	owner(&m, 199, 1, 1);
	owner(&m, 200, 1, 2);
	owner(&m, 235, 1, 3); /* three candidates */
	owner(&m, 240, 2, 3);
	owner(&m, 250, 3, 3);
	owner(&m, UINT64_MAX, 3, 3);
	e4d_marks_go_on(&m, 245); /* nothing was lost */
	assert_int_equal(m.v[3].begin.to, 250);
	assert_int_equal(e4d_marks_error(&m, 1), 40);
	/* one that is said to lie before the last is cut to it: the log has an order */
	assert_int_equal(e4d_marks_add(&m, NULL, "d", (struct e4d_span){10, 300}), 0);
	assert_int_equal(m.v[4].begin.from, 230);
	assert_true(m.v[4].lost);
	e4d_marks_go_on(&m, 290);
	assert_int_equal(m.v[4].begin.to, 290);
	e4d_marks_go_on(&m, 240); /* but not before the mark in front of it */
	assert_int_equal(m.v[4].begin.to, 250);
	m.v[4].begin.to = 300;
	assert_int_equal(e4d_marks_add(&m, "blktests", "e", (struct e4d_span){240, 260}), 0);
	assert_int_equal(m.v[5].begin.to, 300);
	owner(&m, 299, 3, 5);
	owner(&m, 300, 5, 5);
	e4d_marks_close(&m);
}

/* The order of the exit codes, and that a finding with two candidates counts once. */
static void test_exit_and_sum(void **state)
{
	struct e4d_mark v[3] = {0};
	struct e4d_wrap_result r = {.marks = {.v = v, .n = 3}};

	assert_int_equal(e4d_wrap_exit(&r), E4D_EXIT_NOTHING);
	r.other.writes = 394; /* not the command's */
	assert_int_equal(e4d_wrap_exit(&r), E4D_EXIT_NOTHING);
	r.other.findings = 1; /* but the kernel's */
	assert_int_equal(e4d_wrap_exit(&r), E4D_EXIT_FINDING);
	memset(&r.other, 0, sizeof(r.other));
	v[1].tally.writes = 3;
	v[2].tally.writes = 4;
	assert_int_equal(e4d_wrap_exit(&r), E4D_EXIT_CLEAN);
	assert_int_equal(e4d_wrap_sum(&r).writes, 7);
	r.lost = 1;
	assert_int_equal(e4d_wrap_exit(&r), E4D_EXIT_BLIND);
	r.lost = 0;
	v[2].tally.unknown = 1;
	assert_int_equal(e4d_wrap_exit(&r), E4D_EXIT_BLIND);
	r.child.status = 7 << 8; /* exit 7 */
	assert_int_equal(e4d_wrap_exit(&r), E4D_EXIT_FINDING);
	assert_int_equal(e4d_wrap_sum(&r).findings, 0);
	r.child.status = 15; /* a signal */
	assert_int_equal(e4d_wrap_exit(&r), E4D_EXIT_FINDING);
	r.child.status = 0;
	v[1].tally.maybe = v[2].tally.maybe = 1;
	r.maybe = 1;
	v[2].tally.findings = 2;
	r.other.findings = 1;
	assert_int_equal(e4d_wrap_sum(&r).findings, 4);
	assert_int_equal(e4d_wrap_sum(&r).maybe, 1);
	assert_int_equal(e4d_wrap_exit(&r), E4D_EXIT_FINDING);
}

static void test_family(void **state)
{
	struct e4d_family f = {0};
	pid_t child = fork();
	char first[64] = "";

	if (!child) {
		pause();
		_exit(0);
	}
	if (readlink("/proc/self/ns/pid", first, sizeof(first) - 1) < 0 ||
	    strcmp(first, "pid:[4026531836]")) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		print_message("in a PID namespace of its own nothing is known\n");
		skip();
	}
	assert_int_equal(e4d_family_of(&f, (uint32_t)child, 0), E4D_KIN_YES);
	assert_int_equal(e4d_family_of(&f, 1, 0), E4D_KIN_NO);
	assert_int_equal(e4d_family_of(&f, 2, 0), E4D_KIN_NO); /* kthreadd */
	assert_int_equal(e4d_family_of(&f, (uint32_t)getppid(), 0), E4D_KIN_NO);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* known for a second, then asked again */
	assert_int_equal(e4d_family_of(&f, (uint32_t)child, SEC - 1), E4D_KIN_YES);
	assert_int_equal(e4d_family_of(&f, (uint32_t)child, SEC), E4D_KIN_GONE);
}

static void test_commands(void **state)
{
	char path[] = "/tmp/e4d-wrap-XXXXXX"; /* a file, and no program */
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chmod(path, 0600), 0);
	setenv("PATH", "/nonexistent:/tmp:/usr/bin:/bin", 1);
	assert_int_equal(e4d_child_find("sh"), 0);
	assert_int_equal(e4d_child_find("/bin/sh"), 0);
	assert_int_equal(e4d_child_find("no-such-command"), -ENOENT);
	assert_int_equal(e4d_child_find(path), -EACCES);
	assert_int_equal(e4d_child_find(path + 5), -EACCES);
	unlink(path);
	assert_int_equal(e4d_child_find(path + 5), -ENOENT);
	assert_int_equal(e4d_child_find("/etc"), -EACCES);
	assert_int_equal(e4d_child_find(""), -ENOENT);
	assert_int_equal(e4d_child_find("./no/such"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_lines),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_the_clock_is_learnt),
		cmocka_unit_test(test_read_late),
		cmocka_unit_test(test_the_clock_jumps),
		cmocka_unit_test(test_the_clock_contradicts),
		cmocka_unit_test(test_refine),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_exit_and_sum),
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_commands),
	};

	return cmocka_run_group_tests_name("wrap", tests, NULL, NULL);
}
