/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Reading the tables of sums, with this test in the programs' place. Truth is what it
 * wrote: whatever is claimed, forgotten or has no room, each write is in one row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "session/feed.h"

#define SECOND 1000000000ULL
#define BYTES  4096

struct seen {
	struct e4d_row other, last; /* last: of the one looked for, or of any */
	uint64_t rows, writes, bytes, want;
};

static struct e4d_shared *shared;

static int set_up(void **state)
{
	(void)state;
	shared = calloc(1, sizeof(*shared));
	return !shared;
}

static int tear_down(void **state)
{
	(void)state;
	free(shared);
	return 0;
}

static void on_row(void *ctx, const struct e4d_row *row)
{
	struct seen *s = ctx;

	s->writes += row->sum.writes;
	s->bytes += row->sum.submitted;
	if (row->other) {
		s->other = *row;
		return;
	}
	s->rows++;
	if (!s->want || row->ino == s->want || row->pid == s->want)
		s->last = *row;
}

/* One write, as sums.bpf.h counts it. */
static void add(__u64 *keys, struct e4d_sums *sums, struct e4d_sums *other, uint32_t places,
                uint64_t key, uint64_t who)
{
	uint32_t line = e4d_line(key, places);

	for (uint32_t i = 0; i < 2 * E4D_WAYS; i++) {
		uint32_t at = (line ^ i / E4D_WAYS) * E4D_WAYS + i % E4D_WAYS;

		if (keys[at] && keys[at] != key)
			continue;
		keys[at] = key;
		sums[at].who = who;
		other = &sums[at];
		break;
	}
	other->submitted += BYTES;
	other->latency[12]++;
}

static void add_file(uint64_t ino)
{
	add(shared->file_key, shared->file, shared->file_other, E4D_FILES, ino << 10, ino);
}

static void add_process(uint32_t pid)
{
	add(shared->process_key, shared->process, shared->process_other, E4D_PROCESSES,
	    (uint64_t)pid << 1, pid);
}

/* A million files, a refresh each 10,000 writes: no memory is taken, no write is lost. */
static void test_a_million_files(void **state)
{
	enum { FILES = 1000000, EACH = 10000 };
	struct mallinfo2 before, after;
	struct e4d_table *t;
	uint64_t now = 0;

	(void)state;
	assert_int_equal(e4d_table_open_files(&t, shared), 0);
	before = mallinfo2();
	for (uint64_t i = 0; i < FILES; i++) {
		struct seen seen = {0};

		add_file(12 + i);
		if ((i + 1) % EACH)
			continue;
		now += SECOND;
		assert_int_equal(e4d_table_read(t, now, NULL, on_row, &seen), 0);
		assert_int_equal(seen.writes, i + 1);
		assert_int_equal(seen.bytes, (i + 1) * BYTES);
		assert_true(seen.rows <= E4D_FILES);
	}
	after = mallinfo2();
	assert_int_equal(after.uordblks, before.uordblks);
	e4d_table_close(t);
}

/* 10,000 processes, each gone after some writes: those that live have their rows. */
static void test_processes_come_and_go(void **state)
{
	enum { PROCESSES = 10000, ALIVE = 500 };
	const uint32_t first = 1u << 23; /* above pid_max: /proc has no name */
	struct e4d_table *t;
	uint64_t writes = 0;

	(void)state;
	assert_int_equal(e4d_table_open_processes(&t, shared), 0);
	for (uint32_t from = 0; from < PROCESSES; from += ALIVE) {
		struct seen seen = {.want = first + from};

		for (uint32_t i = 0; i < ALIVE; i++, writes++)
			add_process(first + from + i);
		assert_int_equal(e4d_table_read(t, writes * SECOND, NULL, on_row, &seen), 0);
		assert_int_equal(seen.writes, writes);
		assert_int_equal(seen.last.pid, first + from);
		assert_int_equal(seen.last.sum.writes, 1);
		assert_int_equal(seen.last.ino, 0);
		assert_string_equal(seen.last.comm, "");
		for (int i = 0; i < E4D_PROCESSES; i++) /* as sched_process_exit does */
			if (shared->process_key[i])
				shared->process_key[i] |= E4D_LEAVING;
	}
	e4d_table_close(t);
}

/* The name is the process's own, and stays when it is gone. */
static void test_name_of_a_process(void **state)
{
	struct seen seen = {.want = getpid()};
	struct e4d_table *t;

	(void)state;
	add_process(getpid());
	assert_int_equal(e4d_table_open_processes(&t, shared), 0);
	assert_int_equal(e4d_table_read(t, SECOND, NULL, on_row, &seen), 0);
	assert_string_equal(seen.last.comm, "test_table");
	e4d_table_close(t);
}

/* Two places of one file, and what user space settled, are one row. */
static void test_parts_are_one_row(void **state)
{
	struct e4d_record rec = {.ino = 77,
	                         .pid = 9,
	                         .submitted = 1000,
	                         .mapped = 9000,
	                         .blkbits = 12,
	                         .flags = E4D_F_EXTEND,
	                         .verdict = E4D_LEAK};
	struct seen seen = {.want = 77};
	struct e4d_table *t;

	(void)state;
	assert_int_equal(e4d_table_open_files(&t, shared), 0);
	for (int i = 0; i < 2; i++) {
		shared->file_key[i] = 2 + 2 * i;
		shared->file[i].who = 77;
		shared->file[i].latency[10] = 3;
	}
	e4d_table_settled(t, &rec);
	assert_int_equal(e4d_table_read(t, SECOND, NULL, on_row, &seen), 0);
	assert_int_equal(seen.rows, 1);
	assert_int_equal(seen.last.sum.writes, 7);
	assert_int_equal(seen.last.sum.latency[10], 6);
	assert_int_equal(seen.last.sum.submitted, 1000);
	assert_int_equal(seen.last.sum.unmapped, 1000 - 9000);
	assert_int_equal(seen.last.sum.over, 9000 - 4096);
	assert_int_equal(seen.last.sum.extending, 1);
	assert_int_equal(seen.last.sum.findings, 1);
	assert_int_equal(seen.last.pid, 9);
	assert_int_equal(seen.last.flags, E4D_F_EXTEND);
	e4d_table_close(t);
}

/* What was only counted is part of the processes' `other` for the time they were wanted. */
static void test_counted_while_wanted(void **state)
{
	static const uint64_t counted[] = {1, 11, 12, 22};
	struct e4d_feed feed;
	__u64 *inside = &shared->rows[3].v[E4D_C_INSIDE];

	(void)state;
	assert_int_equal(e4d_feed_open(&feed, shared, false), 0);
	assert_int_equal(shared->sample, E4D_SAMPLE);
	for (int i = 0; i < 4; i++) {
		struct seen p = {0}, f = {0};

		*inside += 10;
		e4d_feed_want(&feed, i % 2 ? 0 : E4D_WANT_PROCESSES | E4D_WANT_FLIGHTS);
		assert_int_equal(shared->sample, i % 2 ? E4D_SAMPLE : 0);
		*inside += 1;
		assert_int_equal(e4d_feed_processes(&feed, SECOND, on_row, &p), 0);
		assert_int_equal(e4d_feed_files(&feed, SECOND, on_row, &f), 0);
		assert_int_equal(f.writes, *inside);
		assert_int_equal(p.writes, counted[i]);
	}
	e4d_feed_close(&feed);
}

/* A write that nobody counted at its begin is followed late, and takes one back. */
static void test_taken_back(void **state)
{
	struct e4d_feed feed;
	struct seen f = {0};

	(void)state;
	assert_int_equal(e4d_feed_open(&feed, shared, false), 0);
	shared->rows[1].v[E4D_C_INSIDE] = -1;
	shared->rows[1].v[E4D_C_INSIDE_BYTES] = -BYTES;
	assert_int_equal(e4d_feed_files(&feed, SECOND, on_row, &f), 0);
	assert_int_equal(f.other.sum.writes, 0);
	assert_int_equal(f.other.sum.submitted, 0);
	e4d_feed_close(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_million_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_processes_come_and_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_name_of_a_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_parts_are_one_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_counted_while_wanted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_taken_back, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
