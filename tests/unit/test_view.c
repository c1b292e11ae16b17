/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The live view without a terminal: fed by hand, drawn into frames. */
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "exitcode.h"
#include "util/log.h"
#include "verdict.h"
#include "view/batch.h"
#include "view/columns.h"
#include "view/keys.h"

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

static struct fake *fake_of(struct e4d_feed *f)
{
	return (struct fake *)f;
}

static int fake_files(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	struct fake *k = fake_of(f);
	struct e4d_row other = {.other = true};

	for (size_t i = 0; i < k->rows; i++)
		fn(ctx, &k->row[i]);
	for (uint32_t i = 0; i < k->files; i++) {
		struct e4d_row row = {.ino = i + 1, .dev = 1, .gen = 1, .pid = i % 10000 + 1};

		row.writes = row.latency[14] = k->round * (i % 1000);
		row.submitted = row.writes * 4096;
		fn(ctx, &row);
	}
	fn(ctx, &other);
	return 0;
}

static int fake_processes(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	struct fake *k = fake_of(f);
	struct e4d_row other = {.other = true};

	for (uint32_t i = 0; k->files && i < 10000; i++) {
		struct e4d_row row = {.pid = i + 1, .comm = "many", .writes = k->round * i};

		fn(ctx, &row);
	}
	fn(ctx, &other);
	return 0;
}

static void fake_flights(struct e4d_feed *f, e4d_flight_fn *fn, void *ctx)
{
	for (size_t i = 0; i < fake_of(f)->flights; i++)
		fn(ctx, &fake_of(f)->flight[i]);
}

static void fake_counters(struct e4d_feed *f, struct e4d_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->v[E4D_C_WRITES] = fake_of(f)->writes;
}

static uint64_t fake_losses(struct e4d_feed *f, void (*fn)(void *ctx, const char *name, uint64_t n),
                            void *ctx)
{
	if (fake_of(f)->lost)
		fn(ctx, "ring_full", fake_of(f)->lost);
	return fake_of(f)->lost;
}

static uint64_t fake_now(const struct e4d_feed *f)
{
	return ((const struct fake *)f)->now;
}

static const char *fake_path(struct e4d_feed *f, const struct e4d_record *rec)
{
	static char path[64];

	if (rec->ino == 66)
		return "/srv/\033[31mevil\n";
	snprintf(path, sizeof(path), "/srv/data/file-%llu", (unsigned long long)rec->ino);
	return path;
}

static const struct e4d_feed_ops fake_ops = {
	.files = fake_files,
	.processes = fake_processes,
	.flights = fake_flights,
	.counters = fake_counters,
	.losses = fake_losses,
	.now = fake_now,
	.path = fake_path,
};

struct fixture {
	struct fake k;
	struct e4d_model m;
	struct e4d_view v;
	struct e4d_frame f;
};

static int setup(void **state)
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

static int teardown(void **state)
{
	struct fixture *x = *state;

	e4d_view_free(&x->v);
	e4d_model_free(&x->m);
	e4d_frame_free(&x->f);
	free(x);
	return 0;
}

static void row(struct fixture *x, uint64_t ino, uint64_t writes, uint32_t latency_row)
{
	struct e4d_row *r = &x->k.row[x->k.rows++];

	*r = (struct e4d_row){.ino = ino, .dev = 8u << 20 | 1, .gen = 1, .writes = writes};
	r->submitted = writes * 4096;
	r->latency[latency_row] = writes;
}

static void refresh(struct fixture *x, unsigned int seconds)
{
	x->k.now += seconds * SECOND;
	assert_int_equal(e4d_model_refresh(&x->m), 0);
}

static struct e4d_record leak(uint64_t ino, uint64_t ts)
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

static void feed(struct fixture *x, const struct e4d_record *r)
{
	struct e4d_fed w = {.rec = r};

	assert_int_equal(x->k.feed.on_write(x->k.feed.ctx, &w), 0);
}

static void draw(struct fixture *x, size_t rows, size_t cols)
{
	assert_int_equal(e4d_frame_begin(&x->f, rows, cols, x->v.utf8), 0);
	e4d_view_draw(&x->v, &x->f);
	for (size_t y = 0; y < rows; y++)
		if (x->f.line[y].cols > cols)
			fail_msg("line %zu has %zu columns of %zu", y, x->f.line[y].cols, cols);
}

/* The line of the frame that has the text; fails without one. */
static const char *line_with(struct fixture *x, const char *text)
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

static bool shows(struct fixture *x, const char *text)
{
	for (size_t y = 0; y < x->f.rows; y++)
		if (memmem(x->f.line[y].text ? x->f.line[y].text : "", x->f.line[y].len, text,
		           strlen(text)))
			return true;
	return false;
}

static void expect_in(const char *line, const char *text)
{
	if (!strstr(line, text))
		fail_msg("expected '%s' in '%s'", text, line);
}

static void keys(struct fixture *x, const char *text)
{
	for (; *text; text++)
		e4d_key(&x->v, (unsigned char)*text);
}

static void figures_for_people(void **state)
{
	static const struct {
		enum e4d_figure_kind kind;
		enum e4d_units units;
		double v;
		const char *want;
	} table[] = {
		{E4D_FIG_BYTES, E4D_UNITS_1024, 0, "0"},
		{E4D_FIG_BYTES, E4D_UNITS_1024, 9999, "9999"},
		{E4D_FIG_BYTES, E4D_UNITS_1024, 1040384, "1016K"},
		{E4D_FIG_BYTES, E4D_UNITS_1000, 1040384, "1040k"},
		{E4D_FIG_BYTES, E4D_UNITS_EXACT, 1040384, "1040384"},
		{E4D_FIG_COUNT, E4D_UNITS_1024, 12345, "12.3k"},
		{E4D_FIG_COUNT, E4D_UNITS_1024, 0.5, "0.5"},
		{E4D_FIG_COUNT, E4D_UNITS_1024, 0.001, "<0.1"},
		{E4D_FIG_COUNT, E4D_UNITS_1024, 1.8e19, "18.0E"},
		{E4D_FIG_NS, E4D_UNITS_1024, 512, "512ns"},
		{E4D_FIG_NS, E4D_UNITS_1024, 1.25e6, "1.2ms"},
		{E4D_FIG_NS, E4D_UNITS_1024, 59e9, "59s"},
		{E4D_FIG_NS, E4D_UNITS_1024, 12000e9, "3h20m"},
		{E4D_FIG_PERCENT, E4D_UNITS_1024, 0.2, "<1%"},
		{E4D_FIG_PERCENT, E4D_UNITS_1024, 100, "100%"},
	};
	char out[E4D_FIGURE_MAX];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		e4d_figure(out, table[i].kind, table[i].units, table[i].v);
		assert_string_equal(out, table[i].want);
	}
	/* short ones fit their column */
	for (double v = 0.01; v < 1.8e19; v *= 1.37) {
		e4d_figure(out, E4D_FIG_BYTES, E4D_UNITS_1024, v);
		assert_true(strlen(out) <= 6);
		e4d_figure(out, E4D_FIG_NS, E4D_UNITS_1024, v);
		assert_true(strlen(out) <= 7);
	}
}

static void names_fit(void **state)
{
	static const struct {
		const char *name;
		size_t cols;
		bool middle, utf8;
		const char *want;
		size_t used;
	} table[] = {
		{"short", 10, true, true, "short", 5},
		{"/a/long/path/to/some/file", 12, true, true, "/a/\xe2\x80\xa6ome/file", 12},
		{"/a/long/path/to/some/file", 12, true, false, "/a/..me/file", 12},
		{"longcommand", 6, false, true, "longc+", 6},
		{"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 5, false, true,
	         "\xe6\xbc\xa2\xe5\xad\x97+", 5},
		{"\xe6\xbc\xa2", 20, false, false, "\\xe6\\xbc\\xa2", 12},
		{"e\xcc\x81t", 10, false, true, "e\xcc\x81t", 2},
		{"\033[31m", 20, false, true, "\\x1b[31m", 8},
		{"bad\xff", 20, false, true, "bad\\xff", 7},
		{"", 4, true, true, "", 0},
	};
	char out[256];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(e4d_view_fit(out, sizeof(out), table[i].name, table[i].cols,
		                              table[i].middle, table[i].utf8),
		                 table[i].used);
		assert_string_equal(out, table[i].want);
	}
	for (size_t cols = 0; cols < 40; cols++)
		assert_true(e4d_view_fit(out, sizeof(out),
		                         "/x/\xe6\xbc\xa2\033\xff/e\xcc\x81/abcdefghijklmnop", cols,
		                         true, true) <= cols);
}

static void median_and_tail(void **state)
{
	struct e4d_figures f = {.latency = {[0] = 1000, [10] = 50, [20] = 50}};
	double p50 = e4d_figures_latency(&f, 500), p99 = e4d_figures_latency(&f, 990);

	assert_true(p50 > 1024 && p50 <= 2048);
	assert_true(p99 > (1 << 20) && p99 <= (1 << 21));
	memset(&f, 0, sizeof(f));
	assert_true(e4d_figures_latency(&f, 500) == 0);
}

static void rates_totals_averages(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	refresh(x, 1);
	x->k.row[0].writes = x->k.row[0].latency[14] = 300;
	refresh(x, 2);
	draw(x, 24, 80);
	expect_in(line_with(x, "file-11"), " 100 "); /* 200 in 2 s */
	keys(x, "a");
	draw(x, 24, 80);
	expect_in(line_with(x, "file-11"), " 300 ");
	keys(x, "a");
	draw(x, 24, 80);
	expect_in(line_with(x, "file-11"), " 100 "); /* 300 in 3 s */
	keys(x, "z");
	x->k.row[0].writes = 350;
	refresh(x, 1);
	draw(x, 24, 80);
	expect_in(line_with(x, "file-11"), " 50 ");
}

/* A file that leaves the table goes to `other`; nothing is counted twice, nothing is lost. */
static void what_leaves_is_other(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	row(x, 12, 50, 14);
	refresh(x, 1);
	x->k.rows = 1;
	x->k.row[1] = (struct e4d_row){.other = true, .writes = 53};
	x->k.row[1].latency[14] = 53;
	x->k.rows = 2;
	refresh(x, 1);
	assert_int_equal(x->m.files.n, 1);
	assert_int_equal(x->m.now.writes, 153);
	assert_int_equal(x->m.files.other.now.writes - x->m.files.other.before.writes, 3);
	assert_true(x->m.history[E4D_VIEW_HISTORY - 1] == 3);
}

static void findings_stay(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = leak(31, x->k.now);

	feed(x, &r);
	r.ts_ns++;
	feed(x, &r);
	refresh(x, 1);
	draw(x, 24, 80);
	expect_in(line_with(x, "NEW"), "! 2 NEW FINDINGS");
	keys(x, "5");
	draw(x, 24, 80);
	expect_in(line_with(x, "leaker"), "!leak");
	expect_in(line_with(x, "leaker"), "2032K");
	for (int i = 0; i < 100; i++) /* whatever else comes */
		refresh(x, 1);
	draw(x, 24, 80);
	line_with(x, "leaker");
	keys(x, "\n");
	draw(x, 24, 80);
	assert_false(shows(x, "NEW"));
	expect_in(line_with(x, "! 2"), "! 2 findings");
	line_with(x, "leaker");
	feed(x, &r); /* and is new again */
	draw(x, 24, 80);
	expect_in(line_with(x, "NEW"), "! 1 NEW FINDING");
	assert_int_equal(e4d_model_exit(&x->m), E4D_EXIT_FINDING);
}

static void no_more_findings_than_room(void **state)
{
	struct fixture *x = *state;

	for (uint64_t i = 0; i < E4D_FINDINGS + 100; i++) {
		struct e4d_record r = leak(i + 1, x->k.now);

		feed(x, &r);
	}
	assert_int_equal(x->m.findings.n, E4D_FINDINGS);
	assert_int_equal(x->m.findings.count, E4D_FINDINGS + 100);
	assert_int_equal(x->m.findings.roomless, 100);
	keys(x, "A");
	draw(x, 24, 80);
	assert_false(shows(x, "NEW"));
}

static void pause_keeps_the_picture(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	refresh(x, 1);
	keys(x, " ");
	x->k.row[0].writes = 5000;
	refresh(x, 1);
	draw(x, 24, 80);
	expect_in(line_with(x, "ext4diotop"), "PAUSED");
	expect_in(line_with(x, "file-11"), " 100 ");
	keys(x, " ");
	refresh(x, 1); /* 4900 in the two seconds */
	draw(x, 24, 80);
	expect_in(line_with(x, "file-11"), " 2450 ");
}

static void filter_search_and_active(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	row(x, 12, 200, 14);
	row(x, 13, 300, 14);
	refresh(x, 1);
	refresh(x, 1);
	keys(x, "\\ino=12\n");
	draw(x, 24, 80);
	line_with(x, "file-12");
	assert_false(shows(x, "file-11"));
	expect_in(line_with(x, "filter:"), "ino=12");
	keys(x, "\\\025bogus=1\n"); /* Ctrl-U; a mistake changes nothing */
	draw(x, 24, 80);
	line_with(x, "'bogus'");
	line_with(x, "file-12");
	keys(x, "\\\025\n");
	draw(x, 24, 80);
	line_with(x, "file-11");
	keys(x, "/-11\n");
	assert_int_equal(((const struct e4d_item *)e4d_view_at_cursor(&x->v))->key.id, 11);
	keys(x, "/nowhere\n");
	draw(x, 24, 80);
	line_with(x, "not found");
	keys(x, "o");
	draw(x, 24, 80);
	assert_false(shows(x, "file-11"));
	x->k.row[0].writes++;
	refresh(x, 1);
	draw(x, 24, 80);
	line_with(x, "file-11");
	assert_false(shows(x, "file-12"));
}

/* The cursor stays on its line when the order changes, and at the top it stays there. */
static void cursor_follows(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	row(x, 12, 200, 14);
	row(x, 13, 300, 14);
	refresh(x, 1);
	draw(x, 24, 80);
	keys(x, "jj");
	assert_int_equal(((const struct e4d_item *)e4d_view_at_cursor(&x->v))->key.id, 11);
	x->k.row[0].writes = 5000;
	refresh(x, 1);
	draw(x, 24, 80);
	assert_int_equal(((const struct e4d_item *)e4d_view_at_cursor(&x->v))->key.id, 11);
	assert_int_equal(x->v.place[E4D_PANE_FILES].cursor, 0);
	keys(x, "r"); /* to the top, the other way round */
	draw(x, 24, 80);
	assert_true(((const struct e4d_item *)e4d_view_at_cursor(&x->v))->key.id != 11);
}

static void hostile_names_are_shown(void **state)
{
	struct fixture *x = *state;

	row(x, 66, 100, 14);
	refresh(x, 1);
	draw(x, 24, 80);
	line_with(x, "/srv/\\x1b[31mevil\\x0a");
	for (size_t y = 0; y < x->f.rows; y++)
		assert_null(memchr(x->f.line[y].text, '\033', x->f.line[y].len));
}

/* No line is wider than the frame, in any pane, state and size. */
static void every_size(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = leak(66, x->k.now);

	row(x, 66, 1ULL << 50, 31);
	row(x, 12, 200, 14);
	x->k.flight[0] = (struct e4d_flight){.begin_ns = 1,
	                                     .ino = 66,
	                                     .dev = 8u << 20 | 1,
	                                     .gen = 1,
	                                     .pid = 4194304,
	                                     .known = E4D_FLIGHT_FILE | E4D_FLIGHT_THREAD};
	x->k.flights = 1;
	x->k.lost = 12345;
	feed(x, &r);
	refresh(x, 1);
	for (size_t cols = 1; cols <= 220; cols += cols < 130 ? 1 : 7)
		for (const char *k = "12345?qauauau"; *k; k++) {
			e4d_key(&x->v, *k);
			x->v.quit = false;
			draw(x, 8 + cols % 20, cols);
		}
	draw(x, 8, 59);
	line_with(x, "too small: 60x8");
	draw(x, 7, 60);
	line_with(x, "too small: 60x8");
}

static void lost_is_not_clean(void **state)
{
	struct fixture *x = *state;

	e4d_log_set_level(E4D_LOG_SILENT);
	refresh(x, 1);
	assert_int_equal(e4d_model_exit(&x->m), E4D_EXIT_NOTHING);
	x->k.writes = 5;
	refresh(x, 1);
	assert_int_equal(e4d_model_exit(&x->m), E4D_EXIT_CLEAN);
	x->k.lost = 7;
	refresh(x, 1);
	assert_int_equal(e4d_model_exit(&x->m), E4D_EXIT_BLIND);
	draw(x, 24, 80);
	expect_in(line_with(x, "ext4diotop"), "LOST 7!");
	keys(x, "5");
	draw(x, 24, 80);
	line_with(x, "that proves nothing");
}

/* The sort of what is shown gives the same as a sort of all. */
static void selection_is_a_sort(void **state)
{
	struct fixture *x = *state;
	uint64_t last = UINT64_MAX;

	x->k.files = 5000;
	x->k.round = 1;
	refresh(x, 1);
	x->v.list_rows = 37;
	e4d_view_arrange(&x->v, 0);
	assert_int_equal(x->v.entry_n, 5000);
	assert_int_equal(x->v.sorted, 37);
	for (size_t i = 0; i < x->v.sorted; i++) {
		uint64_t n = ((const struct e4d_item *)x->v.entry[i].item)->now.writes;

		assert_true(n <= last);
		last = n;
	}
	assert_int_equal(last, 992); /* 5 each of 999, 998, ...: the 37th is a 992 */
}

static long resident_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* A million files and ten thousand processes: rows are bounded, and so is memory. */
static void a_million_files(void **state)
{
	struct fixture *x = *state;
	long before, after;
	uint64_t sum = 0;

	x->k.files = 1000000;
	for (x->k.round = 1; x->k.round <= 3; x->k.round++) {
		refresh(x, 1);
		draw(x, 60, 200);
	}
	assert_int_equal(x->m.files.n, E4D_VIEW_FILES);
	assert_int_equal(x->m.procs.n, 10000);
	for (uint32_t i = 0; i < x->m.files.n; i++)
		sum += x->m.files.row[i].now.writes;
	assert_int_equal(sum + x->m.files.other.now.writes, x->m.now.writes);
	assert_int_equal(x->m.now.writes, 3 * 1000ULL * (999 * 1000 / 2));
	line_with(x, "(other files)");
	before = resident_kib();
	for (; x->k.round <= 20; x->k.round++) {
		refresh(x, 1);
		draw(x, 60, 200);
	}
	after = resident_kib();
	if (after > before + 1024)
		fail_msg("17 refreshes took %ld KiB more", after - before);
	if (after > 100 * 1024)
		fail_msg("%ld KiB resident", after);
}

static void batch_formats(void **state)
{
	struct fixture *x = *state;
	struct e4d_batch b = {.format = E4D_BATCH_JSON, .cols = 80};
	struct e4d_outbuf ob = {0};

	row(x, 66, 100, 14);
	refresh(x, 1);
	e4d_batch_put(&b, &x->v, &ob);
	e4d_ob_char(&ob, 0);
	expect_in(ob.data, "\"path\":\"/srv/\\u001b[31mevil\\u000a\"");
	expect_in(ob.data, "\"writes_per_s\":100");
	ob.len = 0;
	b.format = E4D_BATCH_CSV;
	b.begun = false;
	e4d_batch_put(&b, &x->v, &ob);
	e4d_ob_char(&ob, 0);
	expect_in(ob.data, "ts,dev,ino,path,pid");
	expect_in(ob.data, ",8:1,66,/srv/\\x1b[31mevil\\x0a,");
	e4d_ob_free(&ob);
	e4d_batch_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_for_people),
		cmocka_unit_test(names_fit),
		cmocka_unit_test(median_and_tail),
		cmocka_unit_test_setup_teardown(rates_totals_averages, setup, teardown),
		cmocka_unit_test_setup_teardown(what_leaves_is_other, setup, teardown),
		cmocka_unit_test_setup_teardown(findings_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(no_more_findings_than_room, setup, teardown),
		cmocka_unit_test_setup_teardown(pause_keeps_the_picture, setup, teardown),
		cmocka_unit_test_setup_teardown(filter_search_and_active, setup, teardown),
		cmocka_unit_test_setup_teardown(cursor_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_names_are_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(every_size, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_is_not_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(selection_is_a_sort, setup, teardown),
		cmocka_unit_test_setup_teardown(a_million_files, setup, teardown),
		cmocka_unit_test_setup_teardown(batch_formats, setup, teardown),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
