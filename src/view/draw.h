/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#ifndef E4D_VIEW_DRAW_H
#define E4D_VIEW_DRAW_H

#include "view/view.h"

#define E4D_HEADER_ROWS 3
#define E4D_LEAST_COLS  60
#define E4D_LEAST_ROWS  8

/* Three lines: what and where; how much; findings and the last 60 refreshes. */
void e4d_draw_header(const struct e4d_view *v, struct e4d_frame *f);

/* The panes' names, and what changes the meaning of what is shown. */
void e4d_draw_tabs(const struct e4d_view *v, struct e4d_frame *f, size_t y);

/* The pane's titles and lines, on `rows` rows from y on. */
void e4d_draw_list(struct e4d_view *v, struct e4d_frame *f, size_t y, size_t rows);

#endif
