/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Half a record says the whole of it, or is not used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "plain.h"
#include "trace.h"

#define LATENCY 5417

/* An overwrite of 4 KiB at 5 KiB, with blocks of 1 KiB. */
static struct e4d_plain overwrite(void)
{
	struct e4d_plain p = {
		.ts_ns = 81123456789,
		.ino = 131,
		.dev = 254u << 20,
		.gen = 2863311530u,
		.submitted = 4096,
		.id = 4711ULL << 32 | 4712,
		.seq = 41,
		.offset = 5120,
		.isize = 1 << 20,
		.mapped = 4096,
		.mapped_end = 5120 + 4096,
		.dio_size = 4096,
		.flags = E4D_F_SYNC | E4D_F_DSYNC,
		.extents = 2,
		.seen = E4D_SEEN_END_IO | E4D_SEEN_DIO_SIZE | E4D_SEEN_MAP,
		.blkbits = 10,
	};

	return p;
}

/* The kernel side's emit_inside(). */
static struct e4d_ev_inside inside(const struct e4d_plain *p)
{
	struct e4d_ev_inside b = {
		.head.timestamp = p->ts_ns + LATENCY,
		.seq_be = __builtin_bswap64(p->seq),
		.offset_be = __builtin_bswap64(p->offset),
		.isize = p->isize,
		.latency_ns = LATENCY,
		.ino = p->ino,
		.dev = p->dev,
		.gen = p->gen,
		.submitted = p->submitted,
		.mapped = p->mapped,
		.pid = p->id >> 32,
		.tid = (__u32)p->id,
		.flags = p->flags,
		.extents = p->extents,
		.blkbits = p->blkbits,
		.version = E4D_RECORD_VERSION,
	};

	return b;
}

static void same(const struct e4d_plain *p)
{
	struct e4d_ev_inside b = inside(p);
	struct e4d_record whole, expanded;

	memset(&whole, 0, sizeof(whole));
	e4d_plain_record(&whole, p, p->isize, p->submitted, p->ts_ns + LATENCY);
	e4d_inside_expand(&expanded, &b);
	assert_memory_equal(&expanded, &whole, sizeof(whole));
}

static void test_expands_to_the_record(void **state)
{
	struct e4d_plain p = overwrite();

	(void)state;
	assert_true(e4d_is_brief(&p, p.isize, p.submitted, LATENCY));
	same(&p);
	p.offset = 5000; /* from within a block: the mapping begins at 4096 */
	p.mapped = 5120;
	p.mapped_end = 4096 + 5120;
	assert_true(e4d_is_brief(&p, p.isize, p.submitted, LATENCY));
	same(&p);
}

/* Each thing that half a record cannot say makes a whole one of it. */
static void test_what_it_cannot_say(void **state)
{
	struct e4d_plain p;

	(void)state;
#define CHANGE(member, v)                                                                          \
	do {                                                                                       \
		p = overwrite();                                                                   \
		p.member = (v);                                                                    \
		assert_false(e4d_is_brief(&p, 1 << 20, 4096, LATENCY));                            \
	} while (0)
	CHANGE(seen, E4D_SEEN_END_IO | E4D_SEEN_DIO_SIZE); /* no mapping was seen */
	CHANGE(seen, E4D_SEEN_MAP);
	CHANGE(dio_size, 2048);
	CHANGE(dio_error, -5);
	CHANGE(extents, 256);
	CHANGE(mapped, 2048); /* a mapping was missed, at the begin */
	CHANGE(mapped_end, 5120 + 2048);
	CHANGE(submitted, 8192);
	CHANGE(isize, 2 << 20); /* somebody extended the file meanwhile */
	p = overwrite();
	assert_false(e4d_is_brief(&p, p.isize, -5, LATENCY));
	assert_false(e4d_is_brief(&p, p.isize, 2048, LATENCY));
	assert_false(e4d_is_brief(&p, p.isize, 4096, 1ULL << 32));
	/* both missed: covers less than what was written */
	p.mapped = 2048;
	p.mapped_end = 5120 + 2048;
	assert_false(e4d_is_brief(&p, p.isize, 4096, LATENCY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expands_to_the_record),
		cmocka_unit_test(test_what_it_cannot_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
