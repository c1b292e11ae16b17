/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Latencies and their rows; truth is the compiler's count of leading zeros. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "sums.h"

static __u32 log2_of(__u64 x)
{
	return x ? 63 - __builtin_clzll(x) : 0;
}

/* Of 2^32 and above all lie in row 31: four seconds are long enough. */
static void test_log2_of_all_powers(void **state)
{
	(void)state;
	assert_int_equal(e4d_log2(0), 0);
	for (int i = 0; i < 32; i++) {
		__u64 x = 1ULL << i;

		assert_int_equal(e4d_log2(x), i);
		assert_int_equal(e4d_log2(x - 1), log2_of(x - 1));
		assert_int_equal(e4d_log2(x + 1), log2_of(x + 1));
	}
	for (int i = 32; i < 64; i++)
		assert_int_equal(e4d_log2(1ULL << i), 31);
	assert_int_equal(e4d_log2(~0ULL), 31);
}

static void test_rows_of_latencies(void **state)
{
	(void)state;
	assert_int_equal(e4d_latency_row(0), 9);
	assert_int_equal(e4d_latency_row(1023), 9);
	for (__u64 ns = 1024; ns < 3 << 18; ns++)
		if (e4d_latency_row(ns) != log2_of(ns))
			fail_msg("%llu ns: row %u", (unsigned long long)ns, e4d_latency_row(ns));
	for (int i = 18; i < 64; i++)
		assert_int_equal(e4d_latency_row(1ULL << i), i < 32 ? i : 31);
	for (int i = 0; i < 64; i++)
		assert_true(e4d_latency_row(~0ULL >> i) < E4D_LATENCIES);
}

/* A write that never said what it returned is neither error nor short. */
static void test_how_a_record_counts(void **state)
{
	struct e4d_record r = {.submitted = 4096, .ret = -5};

	(void)state;
	assert_false(e4d_is_error(&r));
	assert_false(e4d_is_short(&r));
	assert_int_equal(e4d_latency_of(&r), 0);
	r.seen = E4D_SEEN_RET;
	r.latency_ns = 5000;
	assert_true(e4d_is_error(&r));
	assert_false(e4d_is_short(&r));
	assert_int_equal(e4d_latency_of(&r), 12);
	r.ret = 512;
	assert_false(e4d_is_error(&r));
	assert_true(e4d_is_short(&r));
	r.ret = 4096;
	assert_false(e4d_is_short(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log2_of_all_powers),
		cmocka_unit_test(test_rows_of_latencies),
		cmocka_unit_test(test_how_a_record_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
