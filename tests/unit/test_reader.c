/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The reader against files made by hand: all that is whole comes, and nothing else. */
#include <errno.h>
#include "dumps.h"

static void open_fails(int want, const char *text)
{
	const char *d = dir;
	struct e4d_trace_reader *r;
	char why[256];

	assert_int_equal(e4d_trace_open(&r, &d, 1, why, sizeof(why)), want);
	assert_null(r);
	if (!strstr(why, text))
		fail_msg("expected '%s', got '%s'", text, why);
}

static uint64_t losses;

static void on_loss(void *ctx, unsigned int host, const char *name, uint64_t n)
{
	(void)ctx;
	assert_int_equal(host, 0);
	assert_string_equal(name, "ring");
	losses = n;
}

static void on_mark(void *ctx, unsigned int host, uint64_t ns, const char *text)
{
	(void)host;
	assert_int_equal(ns, 905);
	assert_string_equal(text, "begin");
	++*(int *)ctx;
}

static void test_all_of_it(void **state)
{
	struct e4d_trace_reader *r;
	const struct e4d_trace_host *h;
	struct e4d_trace_write w;
	uint64_t first, last;
	int marks = 0;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		char name[32];

		snprintf(name, sizeof(name), "cpu%u-000000", cpu);
		put_file(dir, name, bytes, make_cpu(bytes, 1, cpu, 0, 2, 20, 0));
		snprintf(name, sizeof(name), "cpu%u-000001", cpu);
		put_file(dir, name, bytes, make_cpu(bytes, 1, cpu, 2, 1, 20, 40));
	}
	r = open_dir();
	for (uint64_t i = 0; i < 60; i++)
		for (unsigned int cpu = 0; cpu < 3; cpu++) {
			assert_int_equal(e4d_trace_next(r, &w), 1);
			assert_inside(&w, cpu, i);
			if (i % 3)
				assert_null(w.path);
			else
				assert_string_equal(w.path, "/mnt/data");
		}
	assert_int_equal(e4d_trace_next(r, &w), 0);
	assert_int_equal(e4d_trace_next(r, &w), 0);
	assert_int_equal(e4d_trace_hosts(r), 1);
	h = e4d_trace_host(r, 0);
	assert_string_equal(h->host, "vm");
	assert_string_equal(h->kernel, "6.12");
	assert_string_equal(h->options, "--all");
	assert_int_equal(h->packets, 10);
	assert_int_equal(h->bad_packets + h->bad_bytes + h->missing_packets, 0);
	assert_int_equal(h->discarded, 4);
	assert_int_equal(h->last.writes, 5);
	assert_false(h->no_end);
	e4d_trace_losses(r, on_loss, NULL);
	assert_int_equal(losses, 5);
	e4d_trace_marks(r, on_mark, &marks);
	assert_int_equal(marks, 1);
	e4d_trace_span(r, &first, &last);
	assert_int_equal(first, REAL + 1000);
	assert_int_equal(last, REAL + 1000 + 59 * 10 + 2);
	e4d_trace_close(r);
}

/* Each point in time, and those between: what comes first is what a walk finds. */
static void test_seek(void **state)
{
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	for (unsigned int f = 0; f < 7; f++) {
		char name[32];

		snprintf(name, sizeof(name), "cpu1-%06u", f);
		put_file(dir, name, bytes,
		         f == 3 ? 0 : make_cpu(bytes, 1, 1, 3 * f, 3, 10, 30 * f));
	}
	r = open_dir();
	for (uint64_t t = 990; t < 1000 + 2200; t += 3) {
		uint64_t i = t <= 1001 ? 0 : (t - 1001 + 9) / 10;

		if (i >= 90 && i < 120)
			i = 120;
		assert_int_equal(e4d_trace_seek(r, REAL + t), 0);
		assert_int_equal(e4d_trace_next(r, &w), i < 210);
		if (i < 210)
			assert_inside(&w, 1, i);
	}
	assert_int_equal(e4d_trace_seek(r, 0), 0);
	assert_int_equal(e4d_trace_next(r, &w), 1);
	assert_inside(&w, 1, 0);
	e4d_trace_close(r);
}

/* Clocks as far apart as a forger likes: no write is lost, from the start or from a time. */
static void test_clocks_far_apart(void **state)
{
	static const uint64_t real[] = {1ULL << 63, UINT64_MAX - 1010, INT64_MAX};
	struct e4d_trace_write w;
	uint64_t first, last;

	(void)state;
	for (size_t k = 0; k < sizeof(real) / sizeof(*real); k++) {
		struct e4d_trace_reader *r;

		put_session(dir, 1, "host", real[k], true);
		put_file(dir, "cpu0-000000", bytes, make_cpu(bytes, 1, 0, 0, 6, 1, 0));
		r = open_dir();
		for (int round = 0; round < 2; round++) {
			for (unsigned int i = 0; i < 6; i++) {
				assert_int_equal(e4d_trace_next(r, &w), 1);
				assert_inside(&w, 0, i);
			}
			assert_int_equal(e4d_trace_next(r, &w), 0);
			e4d_trace_span(r, &first, &last);
			assert_true(first <= last);
			assert_int_equal(e4d_trace_seek(r, round ? last : first), 0);
		}
		e4d_trace_close(r);
	}
}

static void test_newer(void **state)
{
	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	make_cpu(bytes, 1, 0, 0, 1, 5, 0);
	packet.major = 2;
	put_file(dir, "cpu0-000000", packet.bytes, packet_seal(&packet));
	open_fails(-EPROTO, "newer version");
}

/* A newer minor version: more events, and words that we have not. */
static void test_unknown_is_passed(void **state)
{
	struct e4d_ev_write wr;
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	packet_begin(&packet, 1, 0, 0);
	packet.minor = 9;
	put_inside(&packet, 0, 0);
	packet_event(&packet, 1005, 500, "new", 4);
	packet_event(&packet, 1006, E4D_EV_COUNT, NULL, 0);
	put_inside(&packet, 0, 1);
	memset(&wr, 0xff, sizeof(wr));
	packet_event(&packet, 1020, E4D_EV_WRITE, &wr.rec, sizeof(wr.rec));
	put_file(dir, "cpu0-000000", packet.bytes, packet_seal(&packet));
	r = open_dir();
	assert_int_equal(e4d_trace_next(r, &w), 1);
	assert_inside(&w, 0, 0);
	assert_int_equal(e4d_trace_next(r, &w), 1);
	assert_inside(&w, 0, 1);
	assert_int_equal(e4d_trace_next(r, &w), 1);
	assert_int_equal(w.rec->verdict, E4D_UNKNOWN);
	assert_int_equal(w.rec->tier, E4D_TIER_NONE);
	assert_in_range(w.rec->evidence, 0, E4D_EVIDENCE_COUNT - 1);
	assert_int_equal(w.rec->flags >> E4D_FLAG_COUNT, 0);
	assert_int_equal(w.rec->doubt >> E4D_DOUBT_COUNT, 0);
	assert_int_equal(w.rec->comm[15], 0);
	assert_int_equal(w.rec->ino, UINT64_MAX);
	assert_int_equal(e4d_trace_next(r, &w), 0);
	e4d_trace_close(r);
}

/* A copy of a packet, and one from the past, are no new writes. */
static void test_once_and_in_order(void **state)
{
	const bool all[3] = {true, true, true};
	size_t len = make_cpu(bytes, 1, 0, 0, 3, 5, 0);
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;

	(void)state;
	put_session(dir, 1, "vm", REAL, false);
	memcpy(bytes + len, bytes, len);
	put_file(dir, "cpu0-000000", bytes, 2 * len);
	assert_packets(all, 3, 5, "twice", 0);
	r = open_dir();
	while (e4d_trace_next(r, &w))
		;
	assert_int_equal(e4d_trace_host(r, 0)->bad_packets, 3);
	assert_int_equal(e4d_trace_host(r, 0)->bad_bytes, len);
	assert_true(e4d_trace_host(r, 0)->no_end);
	e4d_trace_close(r);
	make_cpu(bytes, 1, 0, 0, 1, 5, 0);
	make_cpu(bytes + 4096, 1, 0, 9, 1, 5, 5);
	put_file(dir, "cpu0-000000", bytes, 8192);
	r = open_dir();
	while (e4d_trace_next(r, &w))
		;
	assert_int_equal(e4d_trace_host(r, 0)->missing_packets, 8);
	assert_int_equal(e4d_trace_host(r, 0)->bad_packets, 0);
	e4d_trace_close(r);
}

static void test_hosts(void **state)
{
	const char *dirs[2] = {dir, dir2};
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;
	char why[256];

	(void)state;
	put_session(dir, 1, "a", REAL, true);
	put_session(dir2, 2, "b", REAL + 5, true);
	put_file(dir, "cpu0-000000", bytes, make_cpu(bytes, 1, 0, 0, 2, 10, 0));
	put_file(dir2, "cpu0-000000", bytes, make_cpu(bytes, 2, 0, 0, 2, 10, 0));
	r = open_ok(dirs, 2);
	for (unsigned int i = 0; i < 40; i++) {
		assert_int_equal(e4d_trace_next(r, &w), 1);
		assert_int_equal(w.host, i % 2);
		assert_inside(&w, 0, i / 2);
	}
	assert_int_equal(e4d_trace_next(r, &w), 0);
	assert_string_equal(e4d_trace_host(r, 1)->host, "b");
	e4d_trace_close(r);
	dirs[1] = dir;
	assert_int_equal(e4d_trace_open(&r, dirs, 2, why, sizeof(why)), -EEXIST);
}

static void test_nothing_there(void **state)
{
	(void)state;
	open_fails(-ENOENT, "no trace dump");
	put_file(dir, "metadata", "x", 1);
	open_fails(-ENOENT, "no trace dump");
	put_file(dir, "cpu0-000000", "x", 1);
	open_fails(-ENODATA, "salvage");
	strcat(dir, "/metadata");
	open_fails(-ENOTDIR, "salvage");
	dir[strlen(dir) - 9] = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_of_it),
		TEST(test_seek),
		TEST(test_clocks_far_apart),
		TEST(test_newer),
		TEST(test_unknown_is_passed),
		TEST(test_once_and_in_order),
		TEST(test_hosts),
		TEST(test_nothing_there),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
