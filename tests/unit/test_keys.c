/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What keys do to the view, without a terminal. */
#include "feeds.h"

static uint64_t finding_at_cursor(struct fixture *x)
{
	const struct e4d_finding *f = e4d_view_at_cursor(&x->v);

	return f ? f->last.ino : 0;
}

/* Enter is for the finding that was read, whatever has come meanwhile. */
static void enter_is_for_what_was_read(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = leak(31, 10 * SECOND);

	x->k.feed.replay = true; /* no kernel to ask for more */
	keys(x, "5");
	feed(x, &r);
	draw(x, 24, 80);
	assert_int_equal(finding_at_cursor(x), 31);
	r = leak(32, 20 * SECOND);
	feed(x, &r);
	draw(x, 24, 80);
	assert_int_equal(finding_at_cursor(x), 31);
	keys(x, "\n");
	assert_int_equal(x->m.findings.unseen, 1);
	draw(x, 24, 80);
	assert_int_equal(finding_at_cursor(x), 31);
	line_with(x, "seen; Enter again shows its file");
	keys(x, "\n");
	assert_int_equal(x->v.showing, E4D_SHOW_DETAIL);
	assert_int_equal(x->m.findings.unseen, 1);
	draw(x, 24, 80);
	line_with(x, "ino 31 ");
}

/* One after the other: what was seen keeps its place until the pane is left. */
static void findings_are_seen_in_turn(void **state)
{
	struct fixture *x = *state;

	for (uint64_t ino = 31; ino < 35; ino++) {
		struct e4d_record r = leak(ino, ino * SECOND);

		feed(x, &r);
	}
	keys(x, "5");
	for (uint64_t ino = 34; ino > 30; ino--) { /* the latest first */
		draw(x, 24, 80);
		assert_int_equal(finding_at_cursor(x), ino);
		keys(x, "\nj");
		assert_int_equal(x->m.findings.unseen, ino - 31);
	}
}

/* The latest writes of all are not kept for long: the finding's own is there all the same. */
static void a_finding_has_its_write(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = leak(31, 10 * SECOND);

	x->k.feed.replay = true;
	feed(x, &r);
	x->m.writes_n = 0;
	keys(x, "5\n\n");
	assert_int_equal(x->v.showing, E4D_SHOW_DETAIL);
	draw(x, 40, 120);
	line_with(x, "WRITES: the last 1 of 1");
	line_with(x, "!leak");
}

/* Sideways no further than there is text. */
static void text_stays_in_sight(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = leak(31, 10 * SECOND);

	x->k.feed.replay = true;
	feed(x, &r);
	keys(x, "5\n\n");
	for (size_t cols = 60; cols <= 120; cols += 60) {
		for (int i = 0; i < 20; i++)
			e4d_key(&x->v, E4D_KEY_RIGHT);
		draw(x, 40, cols);
		line_with(x, cols < 100 ? "!leak" : "generation 1 ");
	}
	assert_int_equal(x->v.text_left, 0);
}

/* A file that several write to is found by each of them, whoever was sampled last. */
static void files_of_a_process(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	row(x, 12, 100, 14);
	for (uint32_t pid = 1; pid <= E4D_WRITERS; pid++) {
		x->k.row[0].pid = pid;
		x->k.row[1].pid = 100;
		refresh(x, 1);
	}
	for (uint32_t pid = 1; pid <= E4D_WRITERS; pid++) {
		char text[32];

		snprintf(text, sizeof(text), "\\\025pid=%u\n", pid);
		keys(x, text);
		draw(x, 24, 80);
		assert_int_equal(x->v.entry_n, 1);
		line_with(x, "file-11 ");
	}
	keys(x, "\033"); /* Esc: all again */
	draw(x, 24, 80);
	assert_int_equal(x->v.entry_n, 2);
}

/* What was typed is not lost by a mistake in it. */
static void a_mistake_can_be_mended(void **state)
{
	struct fixture *x = *state;

	keys(x, "\\nofield=1\n");
	draw(x, 24, 80);
	line_with(x, "no field 'nofield'");
	keys(x, "\\");
	draw(x, 24, 80);
	line_with(x, "filter: nofield=1");
	keys(x, "\025ino=1\n\\");
	draw(x, 24, 80);
	line_with(x, "filter: ino=1");
	assert_string_equal(e4d_filter_text(x->v.filter), "ino=1");
}

/* Another input in between: the filter that holds is offered, not that input. */
static void another_prompt_forgets_the_mistake(void **state)
{
	struct fixture *x = *state;

	keys(x, "\\ino=1\n\\\025nofield=1\n/orders\n\\");
	assert_string_equal(x->v.input, "ino=1");
}

/* The lines are in an order whose column has no room. */
static void a_hidden_order_is_named(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	refresh(x, 1);
	draw(x, 24, 200);
	for (int i = 0; i < 20 && !strstr(line_with(x, "FILE"), "OVER/sv") &&
	                !strstr(line_with(x, "FILE"), "OVERv");
	     i++) {
		keys(x, ">");
		draw(x, 24, 200);
	}
	assert_null(strstr(line_with(x, "1 Files"), " by "));
	draw(x, 24, 60);
	expect_in(line_with(x, "1 Files"), " by OVER");
}

#define KEYS(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEYS(findings_are_seen_in_turn),
		KEYS(a_finding_has_its_write),
		KEYS(text_stays_in_sight),
		KEYS(enter_is_for_what_was_read),
		KEYS(files_of_a_process),
		KEYS(a_mistake_can_be_mended),
		KEYS(another_prompt_forgets_the_mistake),
		KEYS(a_hidden_order_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
