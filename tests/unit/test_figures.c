/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Figures and names in the columns of a terminal. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "session/figures.h"
#include "view/text.h"

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
		{E4D_FIG_COUNT, E4D_UNITS_EXACT, 0.5, "0.5"}, /* seldom is not never here too */
		{E4D_FIG_COUNT, E4D_UNITS_EXACT, 0.02, "<0.1"},
		{E4D_FIG_COUNT, E4D_UNITS_EXACT, 123456.7, "123457"},
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
	/* both times have a part of a second, and their sum is a second more */
	e4d_time_of_day(1700000000900000000LL, 2200000000, out, sizeof(out));
	assert_string_equal(out, "22:13:23");
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
		{"\xe2\x80\xaertl", 9, false, true, "\\xe2\\x80+", 9},
		{"\xe6\xbc\xa2", 9, false, false, "\\xe6\\xbc+", 9},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_for_people),
		cmocka_unit_test(names_fit),
		cmocka_unit_test(median_and_tail),
	};

	setenv("TZ", "UTC", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
