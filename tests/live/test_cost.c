/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What the tracer says it costs, against the number of writes made here and
 * what the kernel says of this process elsewhere. Run as test_session.c is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "probe/hooks.h"
#include "session/cost.h"
#include "session/session.h"
#include "writes.h"
#include "util/log.h"

#define WRITES 2000

static int on_record(void *ctx, struct e4d_record *rec)
{
	(void)rec;
	++*(uint64_t *)ctx;
	return 0;
}

static struct e4d_session *start(uint64_t *records, const char *dir)
{
	struct e4d_session_opts so = {.on_record = on_record, .ctx = records, .cfg.all = 1};

	return open_session(&so, dir);
}

static void child_writes(const char *dir)
{
	pid_t pid = fork();
	void *buf;
	int fd, status;

	if (!pid) {
		fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT, 0600);
		if (fd < 0)
			_exit(1);
		buf = block();
		for (int i = 0; i < WRITES; i++)
			if (pwrite(fd, buf, BLOCK, (i % 64) * BLOCK) != BLOCK)
				_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Spends about 50 ms of CPU; returns how many, ns. */
static uint64_t burn(void)
{
	struct timespec from, now;
	uint64_t ns;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	do {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
		ns = (uint64_t)(now.tv_sec - from.tv_sec) * 1000000000 + now.tv_nsec - from.tv_nsec;
	} while (ns < 50000000);
	return ns;
}

static void check_programs(const struct e4d_cost *c)
{
	uint64_t begins = 0, runs = 0, ns = 0;

	for (int i = 0; i < c->n; i++) {
		if (e4d_hook_begins(c->prog[i].hook))
			begins += c->prog[i].runs;
		runs += c->prog[i].runs;
		ns += c->prog[i].ns;
	}
	assert_true(begins >= WRITES);
	assert_int_equal(runs, c->runs);
	assert_int_equal(ns, c->ns);
	/* no program is free, and none takes a millisecond on the average */
	assert_true(ns > runs && ns / runs < 1000000);
}

static void check_print(const struct e4d_cost *c)
{
	char *text = NULL, line[32];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	e4d_cost_print(c, WRITES, f);
	fclose(f);
	for (char *p = strtok(text, "\n"); p; p = strtok(NULL, "\n"))
		assert_true(strlen(p) <= 80);
	free(text);
	f = open_memstream(&text, &size);
	e4d_cost_print(c, WRITES, f);
	fclose(f);
	snprintf(line, sizeof(line), "%.1f ns a write", (double)c->ns / WRITES);
	if (c->runs)
		assert_non_null(strstr(text, line));
	else
		assert_non_null(strstr(text, "statistics were refused"));
	free(text);
}

static void test_cost(void **state)
{
	char *dir = getenv("E4D_DIR");
	struct e4d_cost cost;
	uint64_t records = 0, burnt;
	struct e4d_session *s;

	(void)state;
	e4d_cost_open(&cost);
	s = start(&records, dir);
	e4d_cost_begin(&cost);
	child_writes(dir);
	burnt = burn();
	assert_int_equal(e4d_session_stop(s), 0);
	e4d_cost_read(&cost, e4d_session_attached(s));
	assert_int_equal(records, WRITES);
	if (cost.stats_fd >= 0)
		check_programs(&cost);
	/* rusage counts in ticks on some kernels */
	assert_true(cost.cpu_ns + 10000000 > burnt && cost.cpu_ns < cost.wall_ns);
	assert_true(cost.start_cpu_ns > 0);
	/* the ring and the table of writes in flight */
	assert_true(cost.map_bytes > E4D_RING_BYTES && cost.map_bytes < 64u << 20);
	assert_true(cost.rss_bytes > 1 << 20 && cost.rss_bytes < 1u << 30);
	check_print(&cost);
	e4d_session_close(s);
	e4d_cost_close(&cost);
}

/* Where the kernel refuses to count, it is said, and the rest is there. */
static void test_refused(void **state)
{
	struct e4d_cost cost = {.stats_fd = -EPERM, .wall_ns = 1, .cpu_ns = 1};

	(void)state;
	check_print(&cost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_refused),
	};

	if (!getenv("E4D_DIR")) {
		e4d_err("E4D_DIR is not set: name a directory on a scratch ext4");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
