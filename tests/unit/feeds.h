/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the tests of the live view share: a feed filled by hand, and what is drawn of it. */
#ifndef E4D_TEST_FEEDS_H
#define E4D_TEST_FEEDS_H

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../../tools/bench/many.h"
#include "verdict.h"
#include "view/keys.h"
#include "view/view.h"

#define SECOND 1000000000ULL
#define FEW    8

/* A feed that gives what the test has put into it. */
struct fake {
	struct e4d_feed feed;
	uint64_t now;
	uint32_t files; /* so many, by rule; or the rows */
	uint64_t round;
	struct e4d_row row[FEW];
	size_t rows;
	struct e4d_flight flight[FEW];
	size_t flights;
	uint64_t lost, writes;
};

static inline struct fake *fake_of(struct e4d_feed *f)
{
	return (struct fake *)f;
}

static inline int fake_files(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	struct fake *k = fake_of(f);

	for (size_t i = 0; i < k->rows; i++)
		fn(ctx, &k->row[i]);
	return many_files(k->files, k->round, fn, ctx);
}

static inline int fake_processes(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	struct e4d_row other = {.other = true};

	if (fake_of(f)->files)
		return many_processes(fake_of(f)->round, fn, ctx);
	fn(ctx, &other);
	return 0;
}

static inline void fake_flights(struct e4d_feed *f, e4d_flight_fn *fn, void *ctx)
{
	for (size_t i = 0; i < fake_of(f)->flights; i++)
		fn(ctx, &fake_of(f)->flight[i]);
}

static inline void fake_counters(struct e4d_feed *f, struct e4d_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->v[E4D_C_WRITES] = fake_of(f)->writes;
}

static inline uint64_t fake_losses(struct e4d_feed *f,
                                   void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx)
{
	if (fake_of(f)->lost)
		fn(ctx, "ring_full", fake_of(f)->lost);
	return fake_of(f)->lost;
}

static inline uint64_t fake_now(const struct e4d_feed *f)
{
	return ((const struct fake *)f)->now;
}

static inline const char *fake_path(struct e4d_feed *f, const struct e4d_record *rec)
{
	static char path[64];

	if (rec->ino == 66)
		return "/srv/\033[31mevil\n";
	if (rec->ino == 670000)
		return NULL;
	snprintf(path, sizeof(path), "/srv/data/file-%llu", (unsigned long long)rec->ino);
	return path;
}

static inline void fake_comm(struct e4d_feed *f, uint32_t pid, char comm[E4D_COMM_LEN])
{
	snprintf(comm, E4D_COMM_LEN, "command-%u", pid);
}

static const struct e4d_feed_ops fake_ops = {
	.files = fake_files,
	.processes = fake_processes,
	.flights = fake_flights,
	.counters = fake_counters,
	.losses = fake_losses,
	.now = fake_now,
	.path = fake_path,
	.comm = fake_comm,
};

struct fixture {
	struct fake k;
	struct e4d_model m;
	struct e4d_view v;
	struct e4d_frame f;
};

static inline int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	x->k.feed.ops = &fake_ops;
	x->k.feed.tier = E4D_TIER_FENTRY;
	x->k.now = 100 * SECOND;
	strcpy(x->k.feed.host, "host");
	strcpy(x->k.feed.kernel, "6.0");
	*state = x;
	if (e4d_model_init(&x->m, &x->k.feed, NULL, false))
		return -1;
	e4d_view_init(&x->v, &x->m);
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *x = *state;

	e4d_view_free(&x->v);
	e4d_model_free(&x->m);
	e4d_frame_free(&x->f);
	free(x);
	return 0;
}

static inline void row(struct fixture *x, uint64_t ino, uint64_t writes, uint32_t latency_row)
{
	struct e4d_row *r = &x->k.row[x->k.rows++];

	*r = (struct e4d_row){.ino = ino, .dev = 8u << 20 | 1, .gen = 1, .sum.writes = writes};
	r->sum.submitted = writes * 4096;
	r->sum.latency[latency_row] = writes;
}

static inline void refresh(struct fixture *x, unsigned int seconds)
{
	x->k.now += seconds * SECOND;
	assert_int_equal(e4d_model_refresh(&x->m), 0);
}

static inline struct e4d_record leak(uint64_t ino, uint64_t ts)
{
	struct e4d_record r = {
		.ts_ns = ts,
		.ino = ino,
		.dev = 8u << 20 | 1,
		.gen = 1,
		.submitted = 1048576,
		.mapped = 1048576,
		.dio_size = 7680,
		.ret = -14,
		.isize_after = 7680,
		.past_eof = 1040384,
		.pid = 42,
		.seen = E4D_SEEN_END_IO | E4D_SEEN_DIO_SIZE | E4D_SEEN_RET,
		.flags = E4D_F_EXTEND | E4D_F_SYNC,
		.blkbits = 12,
		.comm = "leaker",
	};

	r.verdict = e4d_verdict(&r);
	return r;
}

static inline void feed(struct fixture *x, const struct e4d_record *r)
{
	struct e4d_fed w = {.rec = r};

	assert_int_equal(x->k.feed.on_write(x->k.feed.ctx, &w), 0);
}

static inline void draw(struct fixture *x, size_t rows, size_t cols)
{
	assert_int_equal(e4d_frame_begin(&x->f, rows, cols, x->v.utf8), 0);
	e4d_view_draw(&x->v, &x->f);
	for (size_t y = 0; y < rows; y++)
		if (x->f.line[y].cols > cols)
			fail_msg("line %zu has %zu columns of %zu", y, x->f.line[y].cols, cols);
}

/* The line of the frame that has the text; fails without one. */
static inline const char *line_with(struct fixture *x, const char *text)
{
	static char line[4096];

	for (size_t y = 0; y < x->f.rows; y++) {
		snprintf(line, sizeof(line), "%.*s", (int)x->f.line[y].len,
		         x->f.line[y].text ? x->f.line[y].text : "");
		if (strstr(line, text))
			return line;
	}
	fail_msg("no line has '%s'", text);
	return NULL;
}

static inline bool shows(struct fixture *x, const char *text)
{
	for (size_t y = 0; y < x->f.rows; y++)
		if (memmem(x->f.line[y].text ? x->f.line[y].text : "", x->f.line[y].len, text,
		           strlen(text)))
			return true;
	return false;
}

static inline void expect_in(const char *line, const char *text)
{
	if (!strstr(line, text))
		fail_msg("expected '%s' in '%s'", text, line);
}

static inline void keys(struct fixture *x, const char *text)
{
	for (; *text; text++)
		e4d_key(&x->v, (unsigned char)*text);
}

#endif
