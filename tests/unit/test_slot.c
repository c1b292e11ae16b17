/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* From in-flight state to a judged record; and what a missed event falsifies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "probe/hooks.h"
#include "slot.h"

#define KIB 1024ULL

static struct e4d_slot slot(__u64 isize)
{
	struct e4d_slot s;

	memset(&s, 0, sizeof(s));
	s.rec.blkbits = 12;
	s.isize = isize;
	s.cut_low = E4D_NO_CUT;
	return s;
}

static void run(struct e4d_slot *s, __u64 start, __u64 end)
{
	s->runs[s->run_count].start = start;
	s->runs[s->run_count].end = end;
	s->run_count++;
	if (end > s->live)
		s->live = end;
}

/* The block that holds EOF is the file's own. */
static void test_past_eof_from_the_next_block(void **state)
{
	struct e4d_slot s = slot(7680);

	(void)state;
	assert_int_equal(e4d_past_eof(&s, s.isize), 0);
	run(&s, 0, 1024 * KIB);
	assert_int_equal(e4d_past_eof(&s, 7680), 1040384);
	assert_int_equal(e4d_past_eof(&s, 8192), 1040384);
	assert_int_equal(e4d_past_eof(&s, 8193), 1040384 - 4096);
	assert_int_equal(e4d_past_eof(&s, 1024 * KIB), 0);
}

/* Blocks from before lie between the runs: never claimed. */
static void test_gaps_are_not_claimed(void **state)
{
	struct e4d_slot s = slot(8 * KIB);

	(void)state;
	run(&s, 0, 16 * KIB);
	run(&s, 32 * KIB, 48 * KIB);
	run(&s, 64 * KIB, 96 * KIB);
	assert_int_equal(e4d_past_eof(&s, 8 * KIB), (8 + 16 + 32) * KIB);
	assert_int_equal(e4d_past_eof(&s, 40 * KIB), (8 + 32) * KIB);
	assert_int_equal(e4d_past_eof(&s, 20 * KIB), (16 + 32) * KIB);
}

/* Runs emptied by a cut count nothing. */
static void test_cut_runs_are_empty(void **state)
{
	struct e4d_slot s = slot(8 * KIB);

	(void)state;
	run(&s, 0, 12 * KIB);
	run(&s, 32 * KIB, 12 * KIB); /* cut below its start */
	assert_int_equal(e4d_past_eof(&s, 8 * KIB), 4 * KIB);
}

static void test_overtrim_but_not_after_a_fallback(void **state)
{
	struct e4d_slot s = slot(256 * KIB);

	(void)state;
	s.cut_low = 8 * KIB;
	s.rec.mapped_end = 256 * KIB;
	e4d_settle(&s, 0);
	assert_true(s.rec.flags & E4D_F_OVERTRIM);

	s = slot(256 * KIB);
	s.cut_low = 8 * KIB;
	s.rec.mapped_end = 256 * KIB;
	s.rec.seen = E4D_SEEN_FALLBACK;
	s.rec.fallback = 248 * KIB;
	e4d_settle(&s, 0);
	assert_false(s.rec.flags & E4D_F_OVERTRIM);
}

static enum e4d_miss miss_of(enum e4d_tier tier, const char *prog)
{
	for (const struct e4d_hook *h = e4d_hooks; h->prog; h++)
		if (h->tier == tier && !strcmp(h->prog, prog))
			return e4d_hook_miss(h);
	fail_msg("no hook %s", prog);
	return E4D_MISS_ANY;
}

/* Only what shows by itself may leave other writes undoubted. */
static void test_what_a_miss_falsifies(void **state)
{
	(void)state;
	assert_int_equal(miss_of(E4D_TIER_FENTRY, "fe_file_write_iter"), E4D_MISS_SHOWS);
	assert_int_equal(miss_of(E4D_TIER_FENTRY, "fx_file_write_iter"), E4D_MISS_ANY);
	assert_int_equal(miss_of(E4D_TIER_FENTRY, "fx_iomap_begin"), E4D_MISS_MAPPING);
	assert_int_equal(miss_of(E4D_TIER_FENTRY, "tp_ext_map_blocks_exit"), E4D_MISS_ANY);
	assert_int_equal(miss_of(E4D_TIER_FENTRY, "fx_truncate"), E4D_MISS_ANY);
	assert_int_equal(miss_of(E4D_TIER_KPROBE, "kr_iomap_begin"), E4D_MISS_ANY);
	assert_int_equal(miss_of(E4D_TIER_TRACEPOINT, "tp_dio_rw_begin"), E4D_MISS_SHOWS);
	assert_int_equal(miss_of(E4D_TIER_TRACEPOINT, "tp_dio_complete"), E4D_MISS_SHOWS);
	assert_int_equal(miss_of(E4D_TIER_TRACEPOINT, "tp_iomap_iter"), E4D_MISS_ANY);
	assert_int_equal(miss_of(E4D_TIER_TRACEPOINT, "tp_truncate_exit"), E4D_MISS_ANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_past_eof_from_the_next_block),
		cmocka_unit_test(test_gaps_are_not_claimed),
		cmocka_unit_test(test_cut_runs_are_empty),
		cmocka_unit_test(test_overtrim_but_not_after_a_fallback),
		cmocka_unit_test(test_what_a_miss_falsifies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
