/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the lines of the live view add up to, and for how long they were counted. */
#include "feeds.h"
#include "view/batch.h"

/* Of all files, as the mode has them, and of all lines and `other`. */
static void agree(struct fixture *x, uint64_t want)
{
	const struct e4d_items *t = &x->m.files;
	uint64_t sum = t->other.now.writes - t->other.base.writes;

	for (uint32_t i = 0; i < t->n; i++)
		sum += t->row[i].now.writes - t->row[i].base.writes;
	assert_int_equal(sum, want);
	assert_int_equal(x->m.all.now.writes - x->m.all.base.writes, want);
}

static void other(struct fixture *x, size_t at, uint64_t writes)
{
	x->k.row[at] = (struct e4d_row){.other = true, .sum.writes = writes};
	x->k.row[at].sum.latency[14] = writes;
	x->k.rows = at + 1;
}

static void what_is_forgotten_is_in_the_totals(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 40, 14);
	refresh(x, 1);
	other(x, 0, 40); /* the file was removed */
	keys(x, "a");
	for (int i = 0; i < 3; i++) {
		refresh(x, 1);
		draw(x, 24, 80);
		expect_in(line_with(x, "(other files)"), " 40 ");
		assert_int_equal(x->m.files.other.before.writes, 40); /* no rate */
		agree(x, 40);
	}
	keys(x, "z");
	agree(x, 0);
	x->k.rows = 0;
	row(x, 12, 5, 14);
	other(x, 1, 41);
	refresh(x, 1);
	agree(x, 6);
	other(x, 0, 46); /* 12 as well */
	refresh(x, 1);
	agree(x, 6);
	draw(x, 24, 80);
	expect_in(line_with(x, "(other files)"), " 6 ");
}

/* A file has two parts, one of which goes to `other`: it has less than it had. */
static void a_part_is_forgotten(void **state)
{
	struct fixture *x = *state;

	row(x, 11, 100, 14);
	refresh(x, 1);
	keys(x, "z");
	x->k.row[0].sum.writes = x->k.row[0].sum.latency[14] = 30;
	other(x, 1, 73);
	refresh(x, 1);
	agree(x, 3);
	assert_int_equal(x->m.files.other.now.writes - x->m.files.other.before.writes, 3);
}

static struct e4d_row process;

static int one_process(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	struct e4d_row rest = {.other = true};

	if (process.sum.writes)
		fn(ctx, &process);
	fn(ctx, &rest);
	return 0;
}

static int want(struct e4d_feed *f, uint32_t what)
{
	return 0;
}

static void processes_are_counted_while_wanted(void **state)
{
	struct fixture *x = *state;
	struct e4d_feed_ops ops = fake_ops;

	ops.processes = one_process;
	ops.want = want;
	x->k.feed.ops = &ops;
	process = (struct e4d_row){.pid = 7};
	e4d_model_forget(&x->m);
	row(x, 11, 2000, 14);
	refresh(x, 1);
	keys(x, "2");
	e4d_model_want(&x->m, E4D_WANT_PROCESSES);
	draw(x, 24, 80);
	line_with(x, "Processes are counted from now on");
	keys(x, " ");
	draw(x, 24, 80);
	line_with(x, "Paused, and processes were not counted");
	keys(x, " ");
	process.sum.writes = 2000;
	refresh(x, 1);
	draw(x, 24, 80);
	expect_in(line_with(x, "command-7"), " 2000 ");
	/* left for half a second of the next two: it is no slower for that */
	e4d_model_want(&x->m, 0);
	x->k.now += SECOND / 2;
	e4d_model_want(&x->m, E4D_WANT_PROCESSES);
	process.sum.writes += 3000;
	x->k.now -= SECOND / 2;
	refresh(x, 2);
	draw(x, 24, 80);
	expect_in(line_with(x, "command-7"), " 2000 ");
	keys(x, "aa");
	draw(x, 24, 80);
	expect_in(line_with(x, "command-7"), " 2000 "); /* 5000 in 2.5 s */
	keys(x, "a");
	/* left, and shown again: nothing is known of the time in between */
	e4d_model_want(&x->m, 0);
	refresh(x, 1);
	e4d_model_want(&x->m, E4D_WANT_PROCESSES);
	draw(x, 24, 80);
	assert_null(strstr(line_with(x, "command-7"), " 0 "));
	expect_in(line_with(x, "command-7"), " - ");
}

/* What an empty list means, and what it does not. */
static void nothing_is_said_as_it_is(void **state)
{
	struct fixture *x = *state;
	struct e4d_batch b = {.cols = 80};
	struct e4d_outbuf ob = {0};

	refresh(x, 1);
	draw(x, 24, 80);
	line_with(x, "No direct write to ext4 so far.");
	row(x, 11, 40, 14);
	refresh(x, 1);
	refresh(x, 1);
	x->v.active_only = true; /* as without a terminal */
	e4d_batch_put(&b, &x->v, &ob);
	e4d_ob_char(&ob, 0);
	expect_in(ob.data, "No direct write to ext4 in this interval.");
	x->v.batch = false;
	keys(x, "\\ino=12\n5");
	draw(x, 24, 80);
	line_with(x, "No finding so far.");
	keys(x, "1");
	draw(x, 24, 80);
	line_with(x, "Nothing that the filter lets through is active.");
	e4d_ob_free(&ob);
	e4d_batch_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_forgotten_is_in_the_totals, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(a_part_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(processes_are_counted_while_wanted, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(nothing_is_said_as_it_is, setup, teardown),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
