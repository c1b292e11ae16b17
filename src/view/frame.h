/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A screen as lines of text with attributes, that a terminal, a file or a test can show. */
#ifndef E4D_VIEW_FRAME_H
#define E4D_VIEW_FRAME_H

#include <stdbool.h>
#include <stddef.h>

enum e4d_attr {
	E4D_A_NORMAL,
	E4D_A_BOLD,
	E4D_A_DIM,
	E4D_A_BAR,    /* tabs, column titles */
	E4D_A_SORT,   /* the title of the column that sorts */
	E4D_A_CURSOR, /* the line that Enter takes */
	E4D_A_WARN,
	E4D_A_ALERT, /* a finding; its text says so too: "!" */
	E4D_A_COUNT,
};

#define E4D_FRAME_RUNS 48

struct e4d_frame_run {
	size_t from; /* bytes of the line's text */
	enum e4d_attr attr;
};

struct e4d_frame_line {
	char *text; /* owned; not terminated */
	size_t len, cap;
	size_t cols;
	struct e4d_frame_run run[E4D_FRAME_RUNS];
	size_t run_n;
};

struct e4d_frame {
	size_t rows, cols;
	struct e4d_frame_line *line;
	bool utf8;
	bool failed; /* out of memory: a line is missing */
};

/* Empties it and sets its size; memory is kept. 0 or -ENOMEM. */
int e4d_frame_begin(struct e4d_frame *f, size_t rows, size_t cols, bool utf8);
void e4d_frame_free(struct e4d_frame *f);

/* Appends text that is safe to send, cut at the frame's edge. Rows outside are ignored. */
void e4d_frame_put(struct e4d_frame *f, size_t row, enum e4d_attr attr, const char *text);

/* The same by printf. */
void e4d_frame_printf(struct e4d_frame *f, size_t row, enum e4d_attr attr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Blanks up to column col. */
void e4d_frame_to(struct e4d_frame *f, size_t row, enum e4d_attr attr, size_t col);

/* A name that anybody may have chosen, in exactly cols columns (right: to the right). */
void e4d_frame_name(struct e4d_frame *f, size_t row, enum e4d_attr attr, const char *name,
                    size_t cols, bool middle, bool right);

/* Columns left in a line. */
size_t e4d_frame_left(const struct e4d_frame *f, size_t row);

#endif
