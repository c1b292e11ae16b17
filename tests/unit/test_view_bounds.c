/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The live view in every size, and with more of everything than it has room for. */
#include <sys/resource.h>
#include "feeds.h"
#include "view/columns.h"

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
	assert_int_equal(sum + x->m.files.other.now.writes, x->m.all.now.writes);
	assert_int_equal(x->m.all.now.writes, 3 * 1000ULL * (999 * 1000 / 2));
	line_with(x, "(other files)");
	before = resident_kib();
	for (; x->k.round <= 8; x->k.round++) {
		refresh(x, 1);
		draw(x, 60, 200);
	}
	after = resident_kib();
	if (after > before + 1024)
		fail_msg("5 refreshes took %ld KiB more", after - before);
	if (after > 100 * 1024)
		fail_msg("%ld KiB resident", after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_more_findings_than_room, setup, teardown),
		cmocka_unit_test_setup_teardown(every_size, setup, teardown),
		cmocka_unit_test_setup_teardown(selection_is_a_sort, setup, teardown),
		cmocka_unit_test_setup_teardown(a_million_files, setup, teardown),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
