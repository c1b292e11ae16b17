/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The sums for each process against writes made in children; E4D_DIR, E4D_TIER,
 * E4D_UNFILTERED as in test_files.c. Truth is what the children wrote, their
 * numbers, and their name in /proc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "rows.h"
#include "session/session.h"
#include "util/log.h"

static void read_table(void)
{
	read_rows(e4d_session_processes);
}

static const struct e4d_row *row_of(pid_t pid)
{
	for (size_t i = 0; i < table.n; i++)
		if (table.row[i].pid == (uint32_t)pid)
			return &table.row[i];
	return NULL;
}

static void stop(void)
{
	assert_int_equal(e4d_session_stop(session), 0);
	read_table();
}

static void end(void)
{
	e4d_session_close(session);
}

static void assert_named(const struct e4d_row *row)
{
	char name[64] = "";
	FILE *f = fopen("/proc/self/comm", "re");

	assert_non_null(f);
	assert_non_null(fgets(name, sizeof(name), f));
	fclose(f);
	name[strcspn(name, "\n")] = 0;
	assert_string_equal(row->comm, name);
}

static void test_each_process_has_its_own(void **state)
{
	enum { N = 4 };
	pid_t grows[N], over[N];
	int fd = scratch();

	(void)state;
	start_rows(E4D_WANT_PROCESSES);
	for (int i = 0; i < N; i++) { /* the first one's extend */
		grows[i] = child_writes(fd, BLOCKS);
		over[i] = child_writes(fd, 100 * (i + 1));
	}
	read_table();
	assert_int_equal(table.n, 2 * N);
	for (int i = 0; i < N; i++) {
		const struct e4d_row *a = row_of(grows[i]), *b = row_of(over[i]);

		assert_non_null(a);
		assert_non_null(b);
		assert_int_equal(a->sum.writes, BLOCKS);
		assert_int_equal(a->sum.extending, i ? 0 : BLOCKS);
		assert_int_equal(b->sum.writes, 100 * (i + 1));
		assert_int_equal(b->sum.submitted, 100 * (i + 1) * BLOCK);
		assert_int_equal(b->sum.extending + b->sum.errors + b->sum.shorts + b->sum.findings,
		                 0);
		assert_int_equal(a->ino + a->dev + b->ino + b->dev, 0);
		assert_named(a);
		assert_named(b);
	}
	assert_int_equal(table.other.sum.writes, 0);
	/* they have ended: some refreshes later they are `other`, and nothing is lost */
	usleep(200000);
	read_table();
	usleep(200000);
	read_table();
	stop();
	assert_int_equal(table.n, 0);
	assert_int_equal(table.other.sum.writes, N * BLOCKS + 100 * (1 + 2 + 3 + 4));
	assert_int_equal(table.bytes, table.writes * BLOCK);
	close(fd);
	end();
}

/* Only while it is wanted. */
static void test_only_while_wanted(void **state)
{
	const struct e4d_row *row;
	int fd = scratch();
	pid_t pid;

	(void)state;
	child_writes(fd, BLOCKS);
	start_rows(0);
	child_writes(fd, 10);
	read_table();
	assert_int_equal(table.n + table.writes, 0);
	assert_int_equal(e4d_session_want(session, E4D_WANT_PROCESSES), 0);
	pid = child_writes(fd, 20);
	assert_int_equal(e4d_session_want(session, 0), 0);
	child_writes(fd, 40);
	stop();
	assert_int_equal(table.n, 1);
	assert_int_equal(table.writes, 20);
	row = row_of(pid);
	assert_non_null(row);
	assert_int_equal(row->sum.submitted, 20 * BLOCK);
	close(fd);
	end();
}

static void test_errors_and_shorts(void **state)
{
	enum { ERRORS = 20 };
	const struct e4d_row *row;
	int a = scratch(), b = scratch(), shorts;
	pid_t pid[2];

	(void)state;
	child_writes(a, BLOCKS);
	child_writes(b, BLOCKS);
	start_rows(E4D_WANT_PROCESSES);
	shorts = is_blind(session) ? 0 : 10;
	pid[0] = child_fails(a, ERRORS, 0);
	pid[1] = child_fails(b, shorts, 2);
	stop();
	row = row_of(pid[0]);
	assert_non_null(row);
	assert_int_equal(row->sum.writes, ERRORS);
	assert_int_equal(row->sum.submitted, ERRORS * 3 * BLOCK);
	assert_int_equal(row->sum.errors, is_blind(session) ? 0 : ERRORS);
	assert_int_equal(row->sum.shorts, 0);
	row = row_of(pid[1]);
	assert_true(row ? row->sum.writes == 10 && row->sum.errors + row->sum.shorts == 10
	                : !shorts);
	close(a);
	close(b);
	end();
}

/* They complete elsewhere, and are the submitter's. */
static void test_queued_writes(void **state)
{
	enum { CHILDREN = 3, EACH = 800 };
	pid_t pid[CHILDREN];
	int fd[CHILDREN];

	(void)state;
	for (int i = 0; i < CHILDREN; i++) {
		fd[i] = scratch();
		child_writes(fd[i], BLOCKS);
	}
	start_rows(E4D_WANT_PROCESSES);
	for (int i = 0; i < CHILDREN; i++) {
		pid[i] = fork();
		if (!pid[i])
			aio_child(fd[i], EACH);
	}
	for (int i = 0; i < CHILDREN; i++)
		reap(pid[i]);
	stop();
	/* 7.2 skips a begin now and then, and says so */
	assert_in_range(table.writes, CHILDREN * EACH - lost(session), CHILDREN * EACH);
	assert_int_equal(table.bytes, table.writes * BLOCK);
	assert_int_equal(table.n, CHILDREN);
	assert_true(table.other.sum.writes < CHILDREN * EACH / 2);
	for (int i = 0; i < CHILDREN; i++) {
		const struct e4d_row *row = row_of(pid[i]);

		assert_non_null(row);
		assert_true(row->sum.writes && row->sum.writes <= EACH);
		assert_int_equal(row->sum.errors + row->sum.shorts + row->sum.extending, 0);
		close(fd[i]);
	}
	end();
}

/* All places but every 64th are somebody's. */
static void take_places(void)
{
	struct bpf_object *obj = e4d_session_attached(session)->obj;
	struct e4d_shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED,
	                             bpf_object__find_map_fd_by_name(obj, ".bss"), 0);

	assert_true(sh != MAP_FAILED);
	for (int i = 0; i < E4D_PROCESSES; i++)
		if (i % 64)
			sh->process_key[i] = 1ULL << 50;
	munmap(sh, sizeof(*sh));
}

static void test_more_processes_than_places(void **state)
{
	enum { CHILDREN = 100, EACH = 5 };
	int fd = scratch();

	(void)state;
	child_writes(fd, BLOCKS);
	start_rows(E4D_WANT_PROCESSES);
	take_places();
	for (int i = 0; i < CHILDREN; i++)
		child_writes(fd, EACH);
	stop();
	assert_true(table.n > 0 && table.n <= E4D_PROCESSES / 64);
	for (size_t i = 0; i < table.n; i++)
		assert_int_equal(table.row[i].sum.writes, EACH);
	assert_int_equal(table.other.sum.writes, (CHILDREN - table.n) * EACH);
	assert_int_equal(table.bytes, CHILDREN * EACH * BLOCK);
	close(fd);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_process_has_its_own),
		cmocka_unit_test(test_only_while_wanted),
		cmocka_unit_test(test_errors_and_shorts),
		cmocka_unit_test(test_queued_writes),
		cmocka_unit_test(test_more_processes_than_places),
	};

	if (!getenv("E4D_DIR")) {
		e4d_err("E4D_DIR is not set: name a directory on a scratch ext4");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
