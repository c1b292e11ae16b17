/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <string.h>
#include "view/cells.h"

#define COLUMNS(t) t, sizeof(t) / sizeof((t)[0])

/* What drops first is what helps least at a glance. */
static const struct e4d_column files[] = {
	{"DEV", NULL, "dev", 7, 0, 1, true, true, W_DEV, e4d_cell_file},
	{"INO", NULL, "ino", 8, 0, 2, false, true, W_INO, e4d_cell_file},
	{"FILE", NULL, "path", 0, 0, 0, true, true, W_FILE, e4d_cell_file},
	{"PID", NULL, "pid", 7, 0, 7, false, true, W_PID, e4d_cell_file},
	{"COMM", NULL, "comm", 10, 0, 12, true, true, W_COMM, e4d_cell_file},
	{"MODE", NULL, "mode", 5, 0, 3, true, true, W_MODE, e4d_cell_file},
	{"W/s", "W", "writes", 6, 12, 0, false, false, W_WRITES, e4d_cell_figure},
	{"SUBM/s", "SUBM", "submitted", 6, 14, 14, false, false, W_SUBMITTED, e4d_cell_figure},
	{"MAP/s", "MAP", "mapped", 6, 14, 4, false, false, W_MAPPED, e4d_cell_figure},
	{"OVER/s", "OVER", "over_mapped", 6, 14, 11, false, false, W_OVER, e4d_cell_figure},
	{"EXT%", NULL, "extending_percent", 4, 0, 9, false, false, W_EXTENDING, e4d_cell_figure},
	{"SHORT/s", "SHORT", "short", 7, 10, 8, false, false, W_SHORT, e4d_cell_figure},
	{"ERR/s", "ERR", "errors", 5, 10, 10, false, false, W_ERRORS, e4d_cell_figure},
	{"INFL", NULL, "in_flight", 4, 0, 6, false, false, W_INFLIGHT, e4d_cell_file},
	{"p50", NULL, "p50_ns", 6, 0, 5, false, false, W_P50, e4d_cell_figure},
	{"p99", NULL, "p99_ns", 6, 0, 13, false, false, W_P99, e4d_cell_figure},
	{"PASTEOF", NULL, "past_eof", 7, 14, 0, false, false, W_PAST_EOF, e4d_cell_file},
	{"VERDICT", NULL, "verdict", 12, 0, 0, true, false, W_VERDICT, e4d_cell_file},
};

static const struct e4d_column procs[] = {
	{"PID", NULL, "pid", 7, 0, 0, false, true, W_PID, e4d_cell_proc},
	{"COMM", NULL, "comm", 15, 0, 0, true, true, W_COMM, e4d_cell_proc},
	{"MODE", NULL, "mode", 5, 0, 1, true, true, W_MODE, e4d_cell_proc},
	{"W/s", "W", "writes", 6, 12, 0, false, false, W_WRITES, e4d_cell_figure},
	{"SUBM/s", "SUBM", "submitted", 6, 14, 0, false, false, W_SUBMITTED, e4d_cell_figure},
	{"MAP/s", "MAP", "mapped", 6, 14, 2, false, false, W_MAPPED, e4d_cell_figure},
	{"OVER/s", "OVER", "over_mapped", 6, 14, 6, false, false, W_OVER, e4d_cell_figure},
	{"EXT%", NULL, "extending_percent", 4, 0, 7, false, false, W_EXTENDING, e4d_cell_figure},
	{"SHORT/s", "SHORT", "short", 7, 10, 5, false, false, W_SHORT, e4d_cell_figure},
	{"ERR/s", "ERR", "errors", 5, 10, 8, false, false, W_ERRORS, e4d_cell_figure},
	{"INFL", NULL, "in_flight", 4, 0, 4, false, false, W_INFLIGHT, e4d_cell_proc},
	{"p50", NULL, "p50_ns", 6, 0, 3, false, false, W_P50, e4d_cell_figure},
	{"p99", NULL, "p99_ns", 6, 0, 10, false, false, W_P99, e4d_cell_figure},
	{"VERDICT", NULL, "verdict", 12, 0, 9, true, false, W_VERDICT, e4d_cell_proc},
	{"CGROUP", NULL, "cgroup", 0, 0, 0, true, true, W_FILE, e4d_cell_proc},
};

static const struct e4d_column fs[] = {
	{"DEV", NULL, "dev", 7, 0, 0, true, true, W_DEV, e4d_cell_fs},
	{"MOUNT", NULL, "mount", 0, 0, 0, true, true, W_FILE, e4d_cell_fs},
	{"FILES", NULL, "files", 6, 0, 9, false, false, W_MEMBERS, e4d_cell_fs},
	{"W/s", "W", "writes", 6, 12, 0, false, false, W_WRITES, e4d_cell_figure},
	{"SUBM/s", "SUBM", "submitted", 6, 14, 0, false, false, W_SUBMITTED, e4d_cell_figure},
	{"MAP/s", "MAP", "mapped", 6, 14, 2, false, false, W_MAPPED, e4d_cell_figure},
	{"OVER/s", "OVER", "over_mapped", 6, 14, 5, false, false, W_OVER, e4d_cell_figure},
	{"EXT%", NULL, "extending_percent", 4, 0, 6, false, false, W_EXTENDING, e4d_cell_figure},
	{"SHORT/s", "SHORT", "short", 7, 10, 4, false, false, W_SHORT, e4d_cell_figure},
	{"ERR/s", "ERR", "errors", 5, 10, 7, false, false, W_ERRORS, e4d_cell_figure},
	{"INFL", NULL, "in_flight", 4, 0, 3, false, false, W_INFLIGHT, e4d_cell_fs},
	{"p50", NULL, "p50_ns", 6, 0, 1, false, false, W_P50, e4d_cell_figure},
	{"p99", NULL, "p99_ns", 6, 0, 8, false, false, W_P99, e4d_cell_figure},
	{"FINDINGS", NULL, "findings", 8, 0, 0, false, false, W_FINDINGS, e4d_cell_fs},
};

static const struct e4d_column flights[] = {
	{"AGE", NULL, "age_ns", 7, 0, 0, false, false, W_AGE, e4d_cell_flight},
	{"DEV", NULL, "dev", 7, 0, 1, true, true, W_DEV, e4d_cell_flight},
	{"INO", NULL, "ino", 8, 0, 2, false, true, W_INO, e4d_cell_flight},
	{"FILE", NULL, "path", 0, 0, 0, true, true, W_FILE, e4d_cell_flight},
	{"PID", NULL, "pid", 7, 0, 6, false, true, W_PID, e4d_cell_flight},
	{"COMM", NULL, "comm", 10, 0, 5, true, true, W_COMM, e4d_cell_flight},
	{"MODE", NULL, "mode", 5, 0, 3, true, true, W_MODE, e4d_cell_flight},
	{"OFFSET", NULL, "offset", 8, 14, 0, false, false, W_OFFSET, e4d_cell_flight},
	{"SUBM", NULL, "submitted", 6, 10, 0, false, false, W_LENGTH, e4d_cell_flight},
	{"MAP", NULL, "mapped", 6, 10, 4, false, false, W_MAPPED, e4d_cell_flight},
	{"STATE", NULL, "state", 9, 0, 7, true, true, W_STATE, e4d_cell_flight},
};

static const struct e4d_column findings[] = {
	{"!", NULL, "new", 1, 0, 0, true, true, W_NEW, e4d_cell_finding},
	{"LAST", NULL, "last", 8, 0, 0, true, false, W_TIME, e4d_cell_finding},
	{"COUNT", NULL, "count", 6, 10, 0, false, false, W_COUNT, e4d_cell_finding},
	{"VERDICT", NULL, "verdict", 12, 0, 0, true, false, W_VERDICT, e4d_cell_finding},
	{"PASTEOF", NULL, "past_eof", 7, 14, 0, false, false, W_PAST_EOF, e4d_cell_finding},
	{"DEV", NULL, "dev", 7, 0, 1, true, true, W_DEV, e4d_cell_finding},
	{"INO", NULL, "ino", 8, 0, 2, false, true, W_INO, e4d_cell_finding},
	{"FILE", NULL, "path", 0, 0, 0, true, true, W_FILE, e4d_cell_finding},
	{"PID", NULL, "pid", 7, 0, 4, false, true, W_PID, e4d_cell_finding},
	{"COMM", NULL, "comm", 10, 0, 8, true, true, W_COMM, e4d_cell_finding},
	{"OFFSET", NULL, "offset", 8, 14, 5, false, false, W_OFFSET, e4d_cell_finding},
	{"SUBM", NULL, "submitted", 6, 10, 6, false, false, W_LENGTH, e4d_cell_finding},
	{"RET", NULL, "ret", 7, 10, 7, false, false, W_RET, e4d_cell_finding},
	{"EVIDENCE", NULL, "evidence", 9, 0, 3, true, true, W_EVIDENCE, e4d_cell_finding},
};

const struct e4d_pane_def e4d_panes[E4D_PANE_COUNT] = {
	[E4D_PANE_FILES] = {"Files", "Files", "Files", "files", COLUMNS(files), 6},
	[E4D_PANE_PROCS] = {"Processes", "Procs", "Procs", "processes", COLUMNS(procs), 3},
	[E4D_PANE_FS] = {"File systems", "FS", "FS", "filesystems", COLUMNS(fs), 3},
	[E4D_PANE_FLIGHTS] = {"In flight", "In flight", "Flight", "in_flight", COLUMNS(flights), 0},
	[E4D_PANE_FINDINGS] = {"Findings", "Findings", "Finds", "findings", COLUMNS(findings), 1},
};

const char *e4d_cell_text(const struct e4d_view *v, struct e4d_cell *c)
{
	if (c->type == E4D_CELL_NULL)
		return "-";
	if (c->type == E4D_CELL_TEXT)
		return c->str;
	e4d_figure(c->buf, c->kind, v->units, c->num);
	return c->buf;
}

static size_t width_of(const struct e4d_view *v, const struct e4d_column *c)
{
	if (!c->width)
		return E4D_FLEX_WISH;
	return v->units == E4D_UNITS_EXACT && c->exact ? c->exact : c->width;
}

void e4d_columns_fit(const struct e4d_view *v, enum e4d_pane pane, size_t width, uint16_t *cols)
{
	const struct e4d_pane_def *d = &e4d_panes[pane];
	unsigned int drop = 1;
	size_t used = 0;

	for (unsigned int i = 0; i < d->columns; i++) {
		cols[i] = (uint16_t)width_of(v, &d->column[i]);
		used += cols[i] + 1u;
	}
	/* one blank less than columns: `used` counts one too many */
	for (; used > width + 1 && drop <= E4D_COLUMNS_MAX; drop++)
		for (unsigned int i = 0; i < d->columns; i++)
			if (d->column[i].drop == drop) {
				used -= cols[i] + 1u;
				cols[i] = 0;
			}
	for (unsigned int i = 0; i < d->columns; i++) {
		size_t rest = used - cols[i];

		if (!d->column[i].width)
			cols[i] = (uint16_t)(rest + E4D_FLEX_LEAST < width + 1 ? width + 1 - rest
			                                                       : E4D_FLEX_LEAST);
	}
}
