/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The verdict over every combination of its inputs, against a truth table that
 * does not know the code's order of rules: each combination must match exactly
 * one row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "record/names.h"
#include "verdict.h"

/* What happened, one bit each. */
#define LOST  1u   /* half seen, or events lost */
#define BAD   2u   /* a truncate failed, or stopped short */
#define LEFT  4u   /* own blocks past EOF at exit */
#define CUT   8u   /* a truncate cut own blocks */
#define PAST  16u  /* own blocks lay past EOF at end_io */
#define COVER 32u  /* the buffered fallback wrote something */
#define EXPO  64u  /* past EOF without the orphan list */
#define PRE   128u /* foreign blocks past EOF */

static const struct row {
	unsigned int set, clear;
	enum e4d_verdict verdict;
} table[] = {
	{LOST, 0, E4D_UNKNOWN},
	{LEFT | BAD, LOST, E4D_TRIM_FAILED},
	{LEFT, LOST | BAD, E4D_LEAK},
	{CUT, LOST | LEFT, E4D_TRIMMED},
	{PAST | COVER, LOST | LEFT | CUT, E4D_REUSED},
	{EXPO, LOST | LEFT | CUT | PAST, E4D_EXPOSED},
	{EXPO | PAST, LOST | LEFT | CUT | COVER, E4D_EXPOSED},
	{PRE, LOST | LEFT | CUT | PAST | EXPO, E4D_PREALLOC},
	{PRE | PAST, LOST | LEFT | CUT | COVER | EXPO, E4D_PREALLOC},
	{0, LOST | LEFT | CUT | PAST | EXPO | PRE, E4D_CLEAN},
	{PAST, LOST | LEFT | CUT | COVER | EXPO | PRE, E4D_CLEAN},
};

static enum e4d_verdict expected(unsigned int facts)
{
	enum e4d_verdict v = E4D_VERDICT_COUNT;
	unsigned int rows = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if ((facts & table[i].set) != table[i].set || (facts & table[i].clear))
			continue;
		v = table[i].verdict;
		rows++;
	}
	assert_int_equal(rows, 1);
	return v;
}

static void test_table_covers_each_once(void **state)
{
	(void)state;
	for (unsigned int facts = 0; facts < 256; facts++)
		assert_true(expected(facts) < E4D_VERDICT_COUNT);
}

static const __u64 amounts[] = {0, 1, 4096, UINT64_MAX};
static const __u16 seen_bits[] = {E4D_SEEN_TRIM_BAD, E4D_SEEN_TRIM_CUT, E4D_SEEN_SHORT_PAST,
                                  E4D_SEEN_FALLBACK};

static unsigned int facts_of(const struct e4d_record *r)
{
	unsigned int f = 0;

	f |= r->doubt != 0 ? LOST : 0;
	f |= r->seen & E4D_SEEN_TRIM_BAD ? BAD : 0;
	f |= r->past_eof != 0 ? LEFT : 0;
	f |= r->seen & E4D_SEEN_TRIM_CUT ? CUT : 0;
	f |= r->seen & E4D_SEEN_SHORT_PAST ? PAST : 0;
	f |= (r->seen & E4D_SEEN_FALLBACK) && r->fallback >= 1 ? COVER : 0;
	f |= r->exposed_ns != 0 ? EXPO : 0;
	f |= r->prealloc != 0 ? PRE : 0;
	return f;
}

static void check_amounts(struct e4d_record *r, unsigned long *count)
{
	static const __s32 fallbacks[] = {INT32_MIN, -14, -1, 0, 1, INT32_MAX};

	for (size_t i = 0; i < 6 * 4 * 4 * 4; i++) {
		enum e4d_verdict got, want;

		r->fallback = fallbacks[i % 6];
		r->past_eof = amounts[i / 6 % 4];
		r->exposed_ns = amounts[i / 24 % 4];
		r->prealloc = amounts[i / 96];
		got = e4d_verdict(r);
		want = expected(facts_of(r));
		if (got != want)
			print_error("facts %#x: expected %s, got %s\n", facts_of(r),
			            e4d_verdict_name(want), e4d_verdict_name(got));
		assert_int_equal(got, want);
		(*count)++;
	}
}

static void test_every_combination(void **state)
{
	unsigned long count = 0;

	(void)state;
	/* noise: all that the verdict must not look at, clear and set */
	for (int noise = 0; noise < 2; noise++)
		for (unsigned int doubt = 0; doubt < 1u << E4D_DOUBT_COUNT; doubt++)
			for (unsigned int bits = 0; bits < 16; bits++) {
				struct e4d_record r;

				memset(&r, noise ? 0xff : 0, sizeof(r));
				r.doubt = (__u8)doubt;
				for (int b = 0; b < 4; b++) {
					r.seen = (__u16)(r.seen & ~seen_bits[b]);
					if (bits >> b & 1)
						r.seen = (__u16)(r.seen | seen_bits[b]);
				}
				check_amounts(&r, &count);
			}
	assert_int_equal(count, 2 * 16 * 16 * 384);
}

static void test_reads_only(void **state)
{
	struct e4d_record r, copy;

	(void)state;
	memset(&r, 0xa5, sizeof(r));
	copy = r;
	e4d_verdict(&r);
	e4d_is_finding(&r, 1);
	e4d_is_suspicious(&r);
	assert_memory_equal(&r, &copy, sizeof(r));
}

static void test_finding(void **state)
{
	(void)state;
	for (int strict = 0; strict < 2; strict++)
		for (__u8 v = 0; v < E4D_VERDICT_COUNT; v++)
			for (size_t i = 0; i < 4; i++) {
				struct e4d_record r = {.verdict = v, .exposed_ns = amounts[i]};
				int want = 0;

				if (v == E4D_LEAK || v == E4D_TRIM_FAILED)
					want = 1;
				else if (strict && amounts[i] && v != E4D_UNKNOWN)
					want = 1;
				assert_int_equal(!!e4d_is_finding(&r, strict), want);
			}
}

static void test_suspicious(void **state)
{
	const __u32 odd = E4D_F_OVERTRIM | E4D_F_SIZE_MOVED | E4D_F_ASYNC_EXTEND;

	(void)state;
	for (__u8 v = 0; v < E4D_VERDICT_COUNT; v++)
		for (__u32 flags = 0; flags < 1u << E4D_FLAG_COUNT; flags++) {
			struct e4d_record r = {.verdict = v, .flags = flags};
			int quiet = v == E4D_CLEAN || v == E4D_PREALLOC;

			assert_int_equal(!!e4d_is_suspicious(&r), !quiet || (flags & odd) != 0);
		}
}

static void test_up(void **state)
{
	(void)state;
	assert_int_equal(e4d_up(0, 12), 0);
	assert_int_equal(e4d_up(1, 12), 4096);
	assert_int_equal(e4d_up(4096, 12), 4096);
	assert_int_equal(e4d_up(7680, 10), 8192);
	assert_int_equal(e4d_up(4097, 16), 65536);
	assert_int_equal(e4d_up(77, 0), 77);
	assert_int_equal(e4d_up(INT64_MAX, 12), 1ULL << 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_covers_each_once),
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_reads_only),
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_suspicious),
		cmocka_unit_test(test_up),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
