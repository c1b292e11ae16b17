/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What tests of the rows of files and of processes share: one session, and one read of its rows. */
#ifndef E4D_TESTS_ROWS_H
#define E4D_TESTS_ROWS_H

#include "children.h"
#include "sums.h"

static struct table {
	struct e4d_row row[E4D_FILES];
	struct e4d_row other;
	size_t n;
	uint64_t writes, bytes; /* of all, and `other` */
} table;

static struct e4d_session *session;

/* A session that counts by file; wanted as e4d_session_want() has it. */
static inline void start_rows(uint32_t wanted)
{
	struct e4d_session_opts so = {.cfg.files = 1, .on_record = ignore_record};

	session = open_session(&so, getenv("E4D_UNFILTERED") ? NULL : getenv("E4D_DIR"));
	assert_int_equal(e4d_session_want(session, wanted), 0);
}

static void on_row(void *ctx, const struct e4d_row *row)
{
	struct table *t = ctx;

	assert_true(t->n < E4D_FILES);
	if (row->other)
		t->other = *row;
	else
		t->row[t->n++] = *row;
	t->writes += row->sum.writes;
	t->bytes += row->sum.submitted;
}

/* Fills `table`; read is e4d_session_files() or e4d_session_processes(). */
static inline void read_rows(int (*read)(struct e4d_session *s, e4d_row_fn *fn, void *ctx))
{
	memset(&table, 0, sizeof(table));
	assert_int_equal(read(session, on_row, &table), 0);
}

#endif
