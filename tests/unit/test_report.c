/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* --since and --until; totals, buckets and groups of a report; its JSON and its words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "exitcode.h"
#include "report/json.h"
#include "report/print.h"
#include "report/span.h"
#include "report/sum.h"

#define S 1000000000ULL

/* 2026-05-04 13:00:00 UTC; the tests' zone is two hours east of it. */
#define AT 1777899600ULL

static uint64_t parsed(const char *text, uint64_t first, uint64_t last)
{
	uint64_t v = 1;
	int err = e4d_span_parse(text, first * S, last * S, &v);

	if (err)
		assert_int_equal(err, -EINVAL);
	return err ? 0 : v;
}

static void test_span(void **state)
{
	static const struct {
		const char *text;
		uint64_t want; /* ns; 0: an error */
	} cases[] = {
		{"2026-05-04T13:00:00Z", AT * S},
		{"2026-05-04T13:00Z", AT * S},
		{"2026-05-04t13:00:00.5z", AT * S + S / 2},
		{"2026-05-04T15:00:00.000000001+02:00", AT * S + 1},
		{"2026-05-04T11:30:00-01:30", AT * S},
		{"2026-05-04 15:00", AT * S}, /* local */
		{"2026-05-04T15:00:10", (AT + 10) * S},
		{"15:00", AT * S},
		{"15:00:01.25", (AT + 1) * S + S / 4},
		{"-10m", (AT + 3000) * S},
		{"-1h", AT * S},
		{"-250ms", (AT + 3600) * S - S / 4},
		{"", 0},
		{"-", 0},
		{"-m", 0},
		{"-10", 0},
		{"-10x", 0},
		{"--10m", 0},
		{"-18446744073709551616s", 0},
		{"10m", 0},
		{"24:00", 0},
		{"12:60", 0},
		{"1:00", 0},
		{"15:00Z", 0},
		{"15:00:00.", 0},
		{"2026-05-04", 0},
		{"2026-13-04T00:00Z", 0},
		{"2026-05-04T13:00:00Zx", 0},
		{"2026-05-04T13:00:00+2", 0},
		{"1777899600", 0},
	};
	uint64_t v = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = parsed(cases[i].text, AT, AT + 3600);

		if (got != cases[i].want)
			fail_msg("'%s': expected %llu, got %llu", cases[i].text,
			         (unsigned long long)cases[i].want, (unsigned long long)got);
	}
	/* before all time */
	assert_int_equal(e4d_span_parse("-90000d", AT * S, AT * S, &v), 0);
	assert_int_equal(v, 0);
}

/* A recording over midnight: a time of day is of the day on which it is within. */
static void test_span_days(void **state)
{
	uint64_t midnight = AT + 9 * 3600; /* local */

	(void)state;
	assert_int_equal(parsed("23:50", midnight - 3600, midnight + 3600), (midnight - 600) * S);
	assert_int_equal(parsed("00:10", midnight - 3600, midnight + 3600), (midnight + 600) * S);
	/* in neither day: the day of the end, so that --since after it gives nothing */
	assert_int_equal(parsed("02:00", midnight + 60, midnight + 3600), (midnight + 7200) * S);
	assert_int_equal(parsed("00:00", midnight + 60, midnight + 3600), midnight * S);
}

static void test_buckets(void **state)
{
	(void)state;
	assert_int_equal(e4d_rbucket(0), 0);
	assert_int_equal(e4d_rbucket(1), 1);
	assert_int_equal(e4d_rbucket(4095), 12);
	assert_int_equal(e4d_rbucket(4096), 13);
	assert_int_equal(e4d_rbucket(UINT64_MAX), 64);
	assert_string_equal(e4d_rbucket_name(13, true), "4 KiB");
	assert_string_equal(e4d_rbucket_name(0, true), "0 B");
	assert_string_equal(e4d_rbucket_name(17, false), "65 us");
	assert_string_equal(e4d_rbytes(4096), "4 KiB");
	assert_string_equal(e4d_rbytes(1536), "1.50 KiB");
	assert_string_equal(e4d_rbytes(UINT64_MAX), "16.0 EiB");
	assert_string_equal(e4d_rlength(0), "0 ns");
	assert_string_equal(e4d_rlength(90 * S), "1.50 min");
}

static struct e4d_trace_host dump = {.dir = "d",
                                     .host = "h",
                                     .kernel = "",
                                     .program = "",
                                     .options = "",
                                     .real_minus_boot_ns = 7};
static struct e4d_rhost host = {.dump = &dump, .name = "h"};

static void add(struct e4d_rsum *sum, struct e4d_record *r, const char *path)
{
	struct e4d_trace_write w = {.rec = r, .path = path, .end_ns = r->ts_ns + r->latency_ns};

	assert_int_equal(e4d_rsum_add(sum, &w), 0);
}

static struct e4d_record record(uint64_t i, enum e4d_verdict verdict)
{
	struct e4d_record r = {
		.ts_ns = 100 + i,
		.latency_ns = 64,
		.seq = i,
		.ino = i,
		.offset = 512,
		.submitted = 4096,
		.mapped = 4096,
		.ret = 4096,
		.seen = E4D_SEEN_RET,
		.flags = E4D_F_EXTEND,
		.blkbits = 12,
		.verdict = verdict,
		.past_eof = verdict == E4D_LEAK ? 8192 : 0,
		.comm = "dd",
	};

	return r;
}

static void test_sum(void **state)
{
	struct e4d_rview view = {.n_hosts = 1, .hosts = &host};
	struct e4d_record r;
	struct e4d_rsum sum;

	(void)state;
	e4d_rsum_init(&sum, &view, false);
	assert_int_equal(e4d_rsum_exit(&sum), E4D_EXIT_NOTHING);
	r = record(1, E4D_CLEAN);
	add(&sum, &r, NULL);
	assert_int_equal(e4d_rsum_exit(&sum), E4D_EXIT_CLEAN);
	assert_int_equal(sum.first, 100 + 1 + 64 + 7);
	assert_int_equal(sum.latency.n[7], 1);
	/* 512 .. 4608 touches two blocks, one is mapped */
	assert_int_equal(sum.size[13].less, 1);
	r.offset = 4096;
	add(&sum, &r, NULL);
	assert_int_equal(sum.size[13].less, 1);
	assert_int_equal(sum.size[13].more, 0);
	r.mapped = 8192;
	r.ret = -5;
	add(&sum, &r, NULL);
	assert_int_equal(sum.size[13].more, 1);
	assert_int_equal(sum.failed, 1);
	assert_int_equal(sum.done, 8192);
	assert_int_equal(sum.mapped, 16384);

	view.n_losses = 1;
	assert_int_equal(e4d_rsum_exit(&sum), E4D_EXIT_BLIND);
	view.bad = true;
	assert_int_equal(e4d_rsum_exit(&sum), E4D_EXIT_CORRUPT);
	view.bad = false;
	view.n_losses = 0;
	r = record(2, E4D_EXPOSED);
	r.exposed_ns = 1;
	add(&sum, &r, NULL);
	assert_int_equal(e4d_rsum_exit(&sum), E4D_EXIT_CLEAN);
	r = record(2, E4D_UNKNOWN);
	r.doubt = E4D_DOUBT_HALF | E4D_DOUBT_SETTLE;
	add(&sum, &r, NULL);
	assert_int_equal(e4d_rsum_exit(&sum), E4D_EXIT_BLIND);
	assert_int_equal(sum.doubt[0], 0);
	assert_int_equal(sum.doubt[1], 1);
	assert_int_equal(sum.doubt[3], 1);
	r = record(2, E4D_LEAK);
	add(&sum, &r, "/f");
	assert_int_equal(e4d_rsum_exit(&sum), E4D_EXIT_FINDING);
	e4d_rsum_free(&sum);

	e4d_rsum_init(&sum, &view, true);
	r = record(2, E4D_EXPOSED);
	r.exposed_ns = 1;
	add(&sum, &r, NULL);
	assert_int_equal(e4d_rsum_exit(&sum), E4D_EXIT_FINDING);
	e4d_rsum_free(&sum);
}

#define MANY (E4D_R_GROUPS + 500ULL)

/* More findings than are kept, of more files than are: none is forgotten, nothing grows. */
static void test_groups(void **state)
{
	struct e4d_rview view = {.n_hosts = 1, .hosts = &host};
	struct e4d_record r;
	struct e4d_rsum sum;
	uint64_t n;

	(void)state;
	e4d_rsum_init(&sum, &view, false);
	for (uint64_t i = 0; i < MANY; i++) {
		r = record(i, E4D_LEAK);
		snprintf(r.comm, sizeof(r.comm), "c%llu", (unsigned long long)(i % 5));
		r.comm[10] = (char)i; /* after the end of the name */
		add(&sum, &r, i % 2 ? "/odd" : NULL);
	}
	for (int i = 0; i < 3; i++) {
		r = record(77, E4D_LEAK);
		r.gen = 0;
		add(&sum, &r, "/later");
	}
	e4d_rsum_sort(&sum);
	assert_int_equal(sum.n_findings, MANY + 3);
	assert_int_equal(sum.past_eof, (MANY + 3) * 8192);
	assert_int_equal(sum.n_kept, E4D_R_FINDINGS);
	assert_int_equal(sum.findings[5].rec.seq, 5);
	assert_int_equal(sum.files.n, E4D_R_GROUPS);
	assert_int_equal(sum.files.rest, 500);
	assert_int_equal(sum.files.v[0].ino, 77);
	assert_int_equal(sum.files.v[0].findings, 4);
	assert_string_equal(sum.files.v[0].path, "/odd");
	assert_int_equal(sum.comms.n, 6);
	n = sum.files.rest;
	for (size_t i = 0; i < sum.files.n; i++)
		n += sum.files.v[i].findings;
	assert_int_equal(n, sum.n_findings);
	e4d_rsum_free(&sum);
}

/* Any bytes as a value: JSON, and nothing that ends a <script>. */
static void test_json(void **state)
{
	static const char *const hostile[] = {
		"</script><!--", "a&b\"\\\n", "\xff<", "", ">>>", "\xe2\x80\xa8",
	};
	struct e4d_outbuf ob = {0};
	json_t *o;

	(void)state;
	e4d_j_open(&ob, NULL, '{');
	e4d_j_open(&ob, "list", '[');
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		e4d_j_str(&ob, NULL, hostile[i]);
	e4d_j_str(&ob, NULL, NULL);
	e4d_j_close(&ob, ']');
	e4d_j_u64(&ob, "u", 5);
	e4d_j_s64(&ob, "s", -5);
	e4d_j_bool(&ob, "b", true);
	e4d_j_close(&ob, '}');
	assert_null(memchr(ob.data, '<', ob.len));
	assert_null(memchr(ob.data, '>', ob.len));
	o = json_loadb(ob.data, ob.len, 0, NULL);
	assert_non_null(o);
	assert_int_equal(json_array_size(json_object_get(o, "list")), 7);
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "list"), 0)),
	                    hostile[0]);
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "list"), 1)),
	                    hostile[1]);
	assert_int_equal(json_integer_value(json_object_get(o, "s")), -5);
	json_decref(o);
	e4d_ob_free(&ob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span),    cmocka_unit_test(test_span_days),
		cmocka_unit_test(test_buckets), cmocka_unit_test(test_sum),
		cmocka_unit_test(test_groups),  cmocka_unit_test(test_json),
	};

	setenv("TZ", "TST-2", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
