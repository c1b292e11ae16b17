/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The live view without a terminal: fed by hand, keys pressed, drawn into frames. */
#include "exitcode.h"
#include "feeds.h"
#include "util/log.h"
#include "view/batch.h"

static void rates_totals_averages(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	refresh(x, 1);
	x->k.row[0].sum.writes = x->k.row[0].sum.latency[14] = 300;
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
	x->k.row[0].sum.writes = 350;
	refresh(x, 1);
	draw(x, 24, 80);
	expect_in(line_with(x, "file-11"), " 50 ");
}

/* A write that extends is clean when its record says so, not before. */
static void not_judged_yet(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = leak(31, x->k.now);

	row(x, 31, 5, 14);
	x->k.row[0].sum.extending = 1;
	refresh(x, 1);
	draw(x, 24, 80);
	assert_null(strstr(line_with(x, "file-31"), "clean"));
	r.ret = (int)r.submitted;
	r.dio_size = r.submitted;
	r.isize_after = r.submitted;
	r.past_eof = 0;
	r.verdict = E4D_CLEAN;
	feed(x, &r);
	draw(x, 24, 80);
	expect_in(line_with(x, "file-31"), " clean");
}

/* A file that leaves the table goes to `other`; nothing is counted twice, nothing is lost. */
static void what_leaves_is_other(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	row(x, 12, 50, 14);
	refresh(x, 1);
	x->k.rows = 1;
	x->k.row[1] = (struct e4d_row){.other = true, .sum.writes = 53};
	x->k.row[1].sum.latency[14] = 53;
	x->k.rows = 2;
	refresh(x, 1);
	assert_int_equal(x->m.files.n, 1);
	assert_int_equal(x->m.all.now.writes, 153);
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

static void pause_keeps_the_picture(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	refresh(x, 1);
	keys(x, " ");
	x->k.row[0].sum.writes = 5000;
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
	x->k.row[0].sum.writes++;
	refresh(x, 1);
	draw(x, 24, 80);
	line_with(x, "file-11");
	assert_false(shows(x, "file-12"));
}

/* A command's name is looked up for the filter, also of lines that were never shown. */
static void filter_by_command(void **state)
{
	struct fixture *x = *state;

	x->k.files = 5000; /* pid of file i: i */
	x->k.round = 1;
	refresh(x, 1);
	keys(x, "\\comm=command-4000\n");
	for (int i = 0; i < 5000 / 256 + 1; i++) /* so many at a time */
		draw(x, 24, 80);
	line_with(x, "file-4000 ");
	assert_int_equal(x->v.entry_n, 1);
	/* and of writes under way */
	for (uint32_t i = 0; i < FEW; i++)
		x->k.flight[i] = (struct e4d_flight){.begin_ns = 1 + i, .pid = 20000 + i};
	x->k.flights = FEW;
	refresh(x, 1);
	keys(x, "\\\025comm=command-20004\n4");
	draw(x, 24, 80);
	assert_int_equal(x->v.entry_n, 1);
}

/* Names are looked up some at a time; what was not looked up is not said to be missing. */
static void search_goes_on(void **state)
{
	struct fixture *x = *state;
	int n = 0;

	x->k.files = 5000;
	x->k.round = 1;
	refresh(x, 1);
	keys(x, "/file-4000\n");
	assert_non_null(strstr(x->v.message, "not found so far"));
	while (x->v.message[0] && n++ < 5000 / 256 + 1)
		keys(x, "n");
	assert_int_equal(((const struct e4d_item *)e4d_view_at_cursor(&x->v))->key.id, 4000);
	keys(x, "/nowhere\n");
	while (strstr(x->v.message, "so far") && n++ < 50)
		keys(x, "n");
	assert_string_equal(x->v.message, "not found: nowhere");
}

/* A filter that is on is seen, however narrow it is. */
static void choices_are_seen(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	refresh(x, 1);
	draw(x, 8, 60);
	expect_in(line_with(x, "1 Files"), "1 Files 1 ");
	keys(x, "\\ino=11\n");
	draw(x, 8, 60);
	expect_in(line_with(x, "1 Files"), "filter: ino=11");
	draw(x, 24, 80);
	keys(x, ">"); /* a title that fills its column has the sign too */
	draw(x, 24, 80);
	line_with(x, "SUBM/sv");
}

/* Removed and made again under the same name and number: another file, a line of its own. */
static void made_again(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = leak(31, x->k.now);
	const struct e4d_item *i;

	feed(x, &r);
	r.gen = 2;
	feed(x, &r);
	row(x, 31, 5, 14);
	row(x, 31, 7, 14);
	x->k.row[1].gen = 2;
	refresh(x, 1);
	assert_int_equal(x->m.files.n, 2);
	assert_int_equal(x->m.findings.n, 2);
	i = e4d_view_at_cursor(&x->v);
	assert_int_equal(i->key.gen, 2);
	x->k.feed.replay = true; /* no kernel to ask for more */
	keys(x, "\n");           /* the detail is of one of them */
	assert_int_equal(x->v.detail.shown.count, 1);
	draw(x, 24, 80);
	line_with(x, "generation 2 ");
	line_with(x, "since the start: 7 writes");
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
	x->k.row[0].sum.writes = 5000;
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
	/* what is a rate says so; ns are whole; what is not known is null, in the head too */
	expect_in(ob.data, "\"over_mapped_per_s\":0,\"extending_percent\":0,\"short_per_s\":0,"
	                   "\"errors_per_s\":0,\"in_flight\":0,\"p50_ns\":24576,\"p99_ns\":32604,");
	refresh(x, 1);
	ob.len = 0;
	e4d_batch_put(&b, &x->v, &ob);
	e4d_ob_char(&ob, 0);
	expect_in(ob.data, "\"errors_per_s\":0,\"p50_ns\":null,\"p99_ns\":null,\"in_flight\":0,");
	x->v.mode = E4D_MODE_TOTAL;
	ob.len = 0;
	e4d_batch_put(&b, &x->v, &ob);
	e4d_ob_char(&ob, 0);
	expect_in(ob.data, "\"over_mapped\":0,\"extending_percent\":0,\"short\":0,\"errors\":0,");
	x->v.mode = E4D_MODE_RATE;
	ob.len = 0;
	b.format = E4D_BATCH_CSV;
	b.begun = false;
	e4d_batch_put(&b, &x->v, &ob);
	e4d_ob_char(&ob, 0);
	expect_in(ob.data, "ts,dev,ino,path,pid");
	expect_in(ob.data, ",8:1,66,/srv/\\x1b[31mevil\\x0a,");
	/* a name that is not known is none */
	row(x, 670000, 100, 14);
	refresh(x, 1);
	ob.len = 0;
	e4d_batch_put(&b, &x->v, &ob);
	e4d_ob_char(&ob, 0);
	expect_in(ob.data, ",8:1,670000,,");
	ob.len = 0;
	b.format = E4D_BATCH_JSON;
	e4d_batch_put(&b, &x->v, &ob);
	e4d_ob_char(&ob, 0);
	expect_in(ob.data, "\"ino\":670000,\"path\":null,");
	e4d_ob_free(&ob);
	e4d_batch_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rates_totals_averages, setup, teardown),
		cmocka_unit_test_setup_teardown(not_judged_yet, setup, teardown),
		cmocka_unit_test_setup_teardown(what_leaves_is_other, setup, teardown),
		cmocka_unit_test_setup_teardown(findings_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(pause_keeps_the_picture, setup, teardown),
		cmocka_unit_test_setup_teardown(filter_search_and_active, setup, teardown),
		cmocka_unit_test_setup_teardown(filter_by_command, setup, teardown),
		cmocka_unit_test_setup_teardown(search_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(choices_are_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(made_again, setup, teardown),
		cmocka_unit_test_setup_teardown(cursor_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_names_are_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_is_not_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(batch_formats, setup, teardown),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
