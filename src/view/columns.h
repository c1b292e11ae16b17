/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The panes and their columns, as tables: screen, batch, JSON and CSV walk them. */
#ifndef E4D_VIEW_COLUMNS_H
#define E4D_VIEW_COLUMNS_H

#include "view/view.h"

enum e4d_cell_type { E4D_CELL_NULL, E4D_CELL_NUMBER, E4D_CELL_TEXT };

struct e4d_cell {
	enum e4d_cell_type type;
	enum e4d_figure_kind kind;
	double num;      /* what it sorts by, unless str is lasting */
	const char *str; /* not escaped; of the item, of a table, or of buf */
	enum e4d_attr attr;
	bool stand_in; /* for what is not known: programs are given none */
	char buf[48];
};

struct e4d_column {
	const char *title;       /* "W/s" */
	const char *total_title; /* when totals are shown; NULL: the same */
	const char *key;         /* in JSON and CSV: unit in the name */
	uint8_t width;           /* columns; 0: what the others leave */
	uint8_t exact;           /* width with E4D_UNITS_EXACT; 0: the same */
	uint8_t drop;            /* left out first: 1, 2, ...; 0: never */
	bool left;               /* text to the left, its middle cut if it is a path */
	bool upward;             /* sorts from the smallest on */
	uint8_t what;            /* for get */
	void (*get)(const struct e4d_view *v, const void *item, uint8_t what, struct e4d_cell *c);
};

struct e4d_pane_def {
	const char *name, *shorter, *shortest, *key;
	const struct e4d_column *column;
	unsigned int columns;
	unsigned int sort; /* by default */
};

extern const struct e4d_pane_def e4d_panes[E4D_PANE_COUNT];

/* Text of a cell as the screen shows it; "-" for null. Not escaped. */
const char *e4d_cell_text(const struct e4d_view *v, struct e4d_cell *c);

/* Columns of the pane that fit in `width`: sets width of each, 0: left out. */
void e4d_columns_fit(const struct e4d_view *v, enum e4d_pane pane, size_t width, uint16_t *cols);

/*
 * Figures of an item as the mode has them: *per is what counts are divided by, 0 where
 * they were not counted, which happens with processes.
 */
struct e4d_figures e4d_item_figures(const struct e4d_view *v, const struct e4d_item *item,
                                    bool process, double *per);

#define E4D_COLUMNS_MAX 24
#define E4D_FLEX_LEAST  12
#define E4D_FLEX_WISH   27 /* below that other columns go first */

#endif
