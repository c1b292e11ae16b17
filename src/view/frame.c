/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "util/escape.h"
#include "view/frame.h"
#include "view/text.h"

int e4d_frame_begin(struct e4d_frame *f, size_t rows, size_t cols, bool utf8)
{
	if (rows > f->rows) {
		struct e4d_frame_line *p = reallocarray(f->line, rows, sizeof(*p));

		if (!p)
			return -ENOMEM;
		memset(p + f->rows, 0, (rows - f->rows) * sizeof(*p));
		f->line = p;
	}
	for (size_t i = rows; i < f->rows; i++)
		free(f->line[i].text);
	f->rows = rows;
	f->cols = cols;
	f->utf8 = utf8;
	f->failed = false;
	for (size_t i = 0; i < rows; i++)
		f->line[i].len = f->line[i].cols = f->line[i].run_n = 0;
	return 0;
}

void e4d_frame_free(struct e4d_frame *f)
{
	for (size_t i = 0; i < f->rows; i++)
		free(f->line[i].text);
	free(f->line);
	memset(f, 0, sizeof(*f));
}

static void append(struct e4d_frame *f, struct e4d_frame_line *l, enum e4d_attr attr,
                   const char *text, size_t len, size_t cols)
{
	if (l->len + len > l->cap) {
		size_t cap = 2 * (l->len + len) + 64;
		char *p = realloc(l->text, cap);

		if (!p) {
			f->failed = true;
			return;
		}
		l->text = p;
		l->cap = cap;
	}
	if (!l->run_n || (l->run[l->run_n - 1].attr != attr && l->run_n < E4D_FRAME_RUNS))
		l->run[l->run_n++] = (struct e4d_frame_run){.from = l->len, .attr = attr};
	memcpy(l->text + l->len, text, len);
	l->len += len;
	l->cols += cols;
}

size_t e4d_frame_left(const struct e4d_frame *f, size_t row)
{
	return row < f->rows && f->line[row].cols < f->cols ? f->cols - f->line[row].cols : 0;
}

void e4d_frame_put(struct e4d_frame *f, size_t row, enum e4d_attr attr, const char *text)
{
	size_t len = strlen(text), at = 0, cols = 0, left = e4d_frame_left(f, row), n;
	char unit[E4D_TEXT_UNIT_MAX];
	unsigned int w;

	while (at < len) {
		size_t used = 1;

		w = 1;
		if ((unsigned char)text[at] & 0x80)
			used = e4d_view_unit(text + at, len - at, true, unit, &n, &w);
		if (cols + w > left)
			break;
		at += used;
		cols += w;
	}
	if (at)
		append(f, &f->line[row], attr, text, at, cols);
}

void e4d_frame_printf(struct e4d_frame *f, size_t row, enum e4d_attr attr, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e4d_frame_put(f, row, attr, text);
}

void e4d_frame_to(struct e4d_frame *f, size_t row, enum e4d_attr attr, size_t col)
{
	static const char blanks[] =
		"                                                                ";

	while (row < f->rows && f->line[row].cols < col && e4d_frame_left(f, row)) {
		size_t n = col - f->line[row].cols;

		if (n > sizeof(blanks) - 1)
			n = sizeof(blanks) - 1;
		e4d_frame_put(f, row, attr, blanks + sizeof(blanks) - 1 - n);
	}
}

void e4d_frame_name(struct e4d_frame *f, size_t row, enum e4d_attr attr, const char *name,
                    size_t cols, bool middle, bool right)
{
	size_t cap = cols * E4D_TEXT_UNIT_MAX + 1, used, from;
	char *text;

	if (row >= f->rows)
		return;
	text = malloc(cap);
	if (!text) {
		f->failed = true;
		return;
	}
	from = f->line[row].cols;
	used = e4d_view_fit(text, cap, name, cols, middle, f->utf8);
	if (right)
		e4d_frame_to(f, row, attr, from + cols - used);
	e4d_frame_put(f, row, attr, text);
	e4d_frame_to(f, row, attr, from + cols);
	free(text);
}
