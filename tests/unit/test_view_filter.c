/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The command line's filter in the live view: what of it the sums are without is said. */
#include "exitcode.h"
#include "feeds.h"
#include "util/log.h"
#include "view/batch.h"

static struct e4d_filter *filter;

/* As setup(), with a filter of the command line. */
static struct fixture *filtered(void **state, const char *text)
{
	struct fixture *x = *state;
	char why[E4D_FILTER_ERR];

	assert_int_equal(e4d_filter_parse(text, &filter, why, sizeof(why)), 0);
	e4d_model_free(&x->m);
	assert_int_equal(e4d_model_init(&x->m, &x->k.feed, filter, false), 0);
	return x;
}

static int end(void **state)
{
	int err = teardown(state);

	e4d_filter_free(filter);
	filter = NULL;
	return err;
}

static const char *json(struct fixture *x)
{
	static struct e4d_outbuf ob;
	struct e4d_batch b = {.format = E4D_BATCH_JSON};

	ob.len = 0;
	e4d_batch_put(&b, &x->v, &ob);
	e4d_ob_char(&ob, 0);
	e4d_batch_free(&b);
	return ob.data;
}

static void totals_say_what_they_are_without(void **state)
{
	struct fixture *x = filtered(state, "dev=8:1 comm~nobody* latency_ns>1s");

	row(x, 11, 100, 14);
	x->k.row[0].pid = 7;
	x->k.writes = 100;
	refresh(x, 1);
	draw(x, 24, 80);
	expect_in(line_with(x, "w/s"), "unfiltered by comm~nobody+  w/s 100 ");
	line_with(x, "Nothing that the filter lets through");
	expect_in(json(x), "\"unfiltered\":[\"comm~nobody*\",\"latency_ns>1s\"]");
	assert_int_equal(e4d_model_exit(&x->m), E4D_EXIT_NOTHING);
}

/* A line that it lets through, or a record, and the exit is another. */
static void a_match_is_clean(void **state)
{
	struct fixture *x = filtered(state, "comm~command-7*");
	struct e4d_record r = leak(31, x->k.now);

	row(x, 11, 100, 14);
	x->k.row[0].pid = 7;
	refresh(x, 1);
	assert_int_equal(e4d_model_exit(&x->m), E4D_EXIT_NOTHING);
	draw(x, 24, 80);
	line_with(x, "file-11");
	assert_int_equal(e4d_model_exit(&x->m), E4D_EXIT_CLEAN);
	x->m.matched = false;
	feed(x, &r); /* of another command */
	assert_int_equal(x->m.findings.count, 0);
	assert_int_equal(e4d_model_exit(&x->m), E4D_EXIT_NOTHING);
}

/* What the kernel has applied is not applied again: a process has no device. */
static void all_applied(void **state)
{
	struct fixture *x = filtered(state, "dev=8:1");

	x->k.files = 5;
	x->k.round = 1;
	x->k.writes = 10;
	refresh(x, 1);
	x->v.pane = E4D_PANE_PROCS;
	draw(x, 24, 80);
	assert_true(x->v.entry_n > 1);
	assert_false(shows(x, "unfiltered"));
	expect_in(json(x), "\"unfiltered\":[]");
	assert_int_equal(e4d_model_exit(&x->m), E4D_EXIT_CLEAN);
}

static void what_a_file_system_cannot_tell(void **state)
{
	struct fixture *x = filtered(state, "comm~command-7*");

	row(x, 11, 100, 14);
	x->k.row[0].pid = 7;
	refresh(x, 1);
	keys(x, "3");
	draw(x, 24, 80);
	line_with(x, "comm cannot be told of a file system");
	keys(x, "2");
	x->v.pane = E4D_PANE_FS;
	keys(x, "\\path~*file*\n");
	draw(x, 24, 80);
	line_with(x, "path cannot be told of a file system");
}

/* Names are looked up some at a time: a list that is empty until then says so. */
static void names_to_come(void **state)
{
	struct fixture *x = *state;

	x->k.files = 5000;
	x->k.round = 1;
	refresh(x, 1);
	keys(x, "\\path~*file-4000\n");
	draw(x, 24, 80);
	expect_in(line_with(x, "not yet looked up"), "4744 names");
	for (int i = 0; i < 5000 / 256; i++)
		draw(x, 24, 80);
	line_with(x, "file-4000 ");
	keys(x, "\\\025path~*nowhere\n");
	draw(x, 24, 80);
	line_with(x, "Nothing that the filter lets through.");
}

/* What is left to user space, term by term. */
static void the_rest_term_by_term(void **state)
{
	static const struct {
		const char *text, *rest;
	} rows[] = {
		{"dev=8:1 ino=131 pid=4711 flags=extend", ""},
		{"dev=8:1 verdict=leak  submitted>1M", "verdict=leak submitted>1M "},
		{"pid=4711 pid=4712 ino=0", "pid=4712 ino=0 "},
		{"path=\"/a b\"", "path=\"/a b\" "},
	};
	char err[256];

	assert_null(e4d_filter_rest(NULL, 0));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char rest[256] = "";
		struct e4d_record r = {0};
		struct e4d_filter *f;
		const char *term;

		assert_int_equal(e4d_filter_parse(rows[i].text, &f, err, sizeof(err)), 0);
		for (unsigned int n = 0; (term = e4d_filter_rest(f, n)); n++)
			strcat(strcat(rest, term), " ");
		assert_string_equal(rest, rows[i].rest);
		assert_int_equal(e4d_filter_match_rest(f, &r, NULL), !*rest);
		assert_int_equal(e4d_filter_add(f, "tid=5", err, sizeof(err)), 0);
		for (unsigned int n = 0; e4d_filter_rest(f, n); n++)
			term = e4d_filter_rest(f, n);
		assert_string_equal(term, "tid=5");
		e4d_filter_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(totals_say_what_they_are_without, setup, end),
		cmocka_unit_test_setup_teardown(a_match_is_clean, setup, end),
		cmocka_unit_test_setup_teardown(all_applied, setup, end),
		cmocka_unit_test_setup_teardown(what_a_file_system_cannot_tell, setup, end),
		cmocka_unit_test_setup_teardown(names_to_come, setup, end),
		cmocka_unit_test(the_rest_term_by_term),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	e4d_log_set_level(E4D_LOG_SILENT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
