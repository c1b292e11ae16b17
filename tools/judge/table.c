/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * CASE           RET SUBMITTED  MAPPED   ISIZE VERDICT    DISK
 * append-1m  1048576   1048576 1048576 1048576 clean         0 ok
 * efault-off -EFAULT   1048576 1048576    7680 leak    1040384 ok
 * RET, SUBMITTED and DISK are the disk's truth; MAPPED, ISIZE and VERDICT are
 * the tracer's words.
 */
#include <string.h>

#include "judge.h"

enum { COL_CASE, COL_RET, COL_SUBMITTED, COL_MAPPED, COL_ISIZE, COL_VERDICT, COL_DISK, COLS };

#define CELL  40
#define WIDTH 76 /* of the list of what leaks */

static const struct {
	const char *title;
	bool left;
} columns[COLS] = {
	[COL_CASE] = {"CASE", true},
	[COL_RET] = {"RET", false},
	[COL_SUBMITTED] = {"SUBMITTED", false},
	[COL_MAPPED] = {"MAPPED", false},
	[COL_ISIZE] = {"ISIZE", false},
	[COL_VERDICT] = {"VERDICT", true},
	[COL_DISK] = {"DISK", false},
};

static const char *const result_names[JD_RESULT_COUNT] = {
	[JD_OK] = "ok",     [JD_WRONG] = "WRONG",     [JD_UNKNOWN] = "unknown",
	[JD_LOST] = "lost", [JD_SKIPPED] = "skipped", [JD_BROKEN] = "broken",
	[JD_NA] = "n/a",    [JD_UNSEEN] = "unseen",
};

static bool was_judged(const struct jd_row *row)
{
	return row->result < JD_SKIPPED;
}

static void cell_int(char *cell, const json_t *obj, const char *key)
{
	bool have;
	long long v = jd_int(obj, key, &have);

	snprintf(cell, CELL, have ? "%lld" : "-", v);
}

static void cell_ret(char *cell, const json_t *truth)
{
	long long v = jd_int(truth, "ret", NULL);
	const char *name = v < 0 && v > -4096 ? strerrorname_np((int)-v) : NULL;

	if (name)
		snprintf(cell, CELL, "-%s", name);
	else
		snprintf(cell, CELL, "%lld", v);
}

static void cells_of(const struct jd_row *row, char cells[COLS][CELL])
{
	const char *verdict = jd_str(row->rec, "verdict");

	snprintf(cells[COL_CASE], CELL, "%s", row->name);
	cell_ret(cells[COL_RET], row->truth);
	cell_int(cells[COL_SUBMITTED], row->truth, "submitted");
	cell_int(cells[COL_MAPPED], row->rec, "mapped");
	cell_int(cells[COL_ISIZE], row->rec, "isize_after");
	snprintf(cells[COL_VERDICT], CELL, "%s", verdict[0] ? verdict : "-");
	cell_int(cells[COL_DISK], row->truth, "past_eof");
}

static void print_cells(char cells[COLS][CELL], const int *width, const char *tail)
{
	for (int c = 0; c < COLS; c++)
		printf("%s%*s", c ? " " : "", columns[c].left ? -width[c] : width[c], cells[c]);
	printf("%s%s\n", tail[0] ? " " : "", tail);
}

void jd_print_table(const struct jd_row *rows, size_t count)
{
	char cells[COLS][CELL];
	int width[COLS];

	for (int c = 0; c < COLS; c++)
		width[c] = (int)strlen(columns[c].title);
	for (size_t i = 0; i < count; i++) {
		if (!was_judged(&rows[i]))
			continue;
		cells_of(&rows[i], cells);
		for (int c = 0; c < COLS; c++)
			if ((int)strlen(cells[c]) > width[c])
				width[c] = (int)strlen(cells[c]);
	}
	for (int c = 0; c < COLS; c++)
		snprintf(cells[c], CELL, "%s", columns[c].title);
	print_cells(cells, width, "");
	for (size_t i = 0; i < count; i++) {
		const struct jd_row *row = &rows[i];

		if (!was_judged(row)) {
			printf("%-*s %s: %s\n", width[COL_CASE], row->name,
			       result_names[row->result], row->why);
			continue;
		}
		cells_of(row, cells);
		print_cells(cells, width, result_names[row->result]);
		if (row->result != JD_OK)
			printf("%-*s   %s\n", width[COL_CASE], "", row->why);
	}
}

void jd_print_tap(const char *prefix, const struct jd_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct jd_row *row = &rows[i];

		if (row->result == JD_OK)
			printf("ok %s/%s\n", prefix, row->name);
		else if (row->result == JD_SKIPPED)
			printf("ok %s/%s # SKIP %s\n", prefix, row->name, row->why);
		else if (row->result == JD_UNSEEN)
			printf("ok %s/%s # limit of the tier: %s\n", prefix, row->name, row->why);
		else if (row->result == JD_NA)
			printf("# %s/%s %s\n", prefix, row->name, row->why);
		else
			printf("not ok %s/%s: %s\n", prefix, row->name, row->why);
	}
}

static void print_counts(const char *lead, const struct jd_row *rows, size_t count)
{
	size_t n[JD_RESULT_COUNT] = {0};

	for (size_t i = 0; i < count; i++)
		n[rows[i].result]++;
	printf("%s%zu agree with the disk", lead, n[JD_OK]);
	for (int r = JD_OK + 1; r < JD_RESULT_COUNT; r++)
		if (n[r])
			printf(", %zu %s", n[r], result_names[r]);
	printf("\n");
}

/* What the disk says of this kernel, whatever the tracer said. */
void jd_print_summary(const char *lead, const struct jd_row *rows, size_t count)
{
	size_t writes = 0, leaks = 0;

	for (size_t i = 0; i < count; i++) {
		if (!was_judged(&rows[i]))
			continue;
		writes++;
		leaks += jd_int(rows[i].truth, "past_eof", NULL) > 0;
	}
	print_counts(lead, rows, count);
	if (!leaks) {
		printf("%sno leak found on this kernel in %zu writes\n", lead, writes);
		return;
	}
	printf("%sthis kernel LEAKS: %zu of %zu writes left blocks past EOF:", lead, leaks, writes);
	for (size_t i = 0, col = WIDTH; i < count; i++) {
		if (!was_judged(&rows[i]) || jd_int(rows[i].truth, "past_eof", NULL) <= 0)
			continue;
		col += strlen(rows[i].name) + 1;
		if (col > WIDTH)
			col = (size_t)printf("\n%s  ", lead) + strlen(rows[i].name);
		printf(" %s", rows[i].name);
	}
	printf("\n");
}
