/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What the user has chosen to see of the model: pane, order, filter, place. Knows no
 * terminal.
 */
#ifndef E4D_VIEW_VIEW_H
#define E4D_VIEW_VIEW_H

#include "view/detail.h"
#include "view/frame.h"
#include "view/model.h"
#include "view/text.h"

enum e4d_pane {
	E4D_PANE_FILES,
	E4D_PANE_PROCS,
	E4D_PANE_FS,
	E4D_PANE_FLIGHTS,
	E4D_PANE_FINDINGS,
	E4D_PANE_COUNT,
};

enum e4d_mode { E4D_MODE_RATE, E4D_MODE_TOTAL, E4D_MODE_AVERAGE, E4D_MODE_COUNT };

enum e4d_showing { E4D_SHOW_LIST, E4D_SHOW_DETAIL, E4D_SHOW_HELP };

/* What a line of input is for. */
enum e4d_prompt {
	E4D_PROMPT_NONE,
	E4D_PROMPT_SEARCH,
	E4D_PROMPT_FILTER,
	E4D_PROMPT_INTERVAL,
	E4D_PROMPT_MARK,
	E4D_PROMPT_SAVE,
	E4D_PROMPT_TIME,
};

/* Names a line of a pane from one refresh to the next. */
struct e4d_ident {
	uint64_t a, b, c;
};

struct e4d_place {
	unsigned int sort; /* column */
	bool reverse;
	bool follow; /* the cursor goes with its line */
	size_t cursor, top;
	struct e4d_ident at; /* of the line under the cursor */
};

struct e4d_entry {
	const void *item;
	bool first; /* before all others, whatever the order */
	double num;
	const char *str; /* NULL: num counts */
};

struct e4d_view {
	struct e4d_model *m;
	enum e4d_pane pane;
	enum e4d_showing showing;
	struct e4d_place place[E4D_PANE_COUNT];
	enum e4d_mode mode;
	enum e4d_units units;
	bool active_only;
	bool utf8;
	bool batch;                /* no cursor */
	bool drawing;              /* names of what is shown may be looked up */
	double interval;           /* seconds */
	struct e4d_filter *filter; /* owned; NULL: all */
	char search[128];
	enum e4d_prompt prompt;
	char input[256];
	bool mistaken; /* the input is a filter that was refused */
	char message[200];
	bool alarm;   /* the message is an error's */
	double speed; /* of a replay */
	bool playing;
	struct e4d_detail detail;
	size_t text_top, text_left; /* of detail and help */
	size_t list_rows, width;    /* that the list had when it was drawn last */
	/* what the pane holds, arranged: the first `sorted` are in order */
	struct e4d_entry *entry;
	size_t entry_n, entry_cap, sorted;
	uint32_t unnamed; /* left out by a filter before their names were looked for */
	bool quit;
};

/* m stays the caller's. */
void e4d_view_init(struct e4d_view *v, struct e4d_model *m);
void e4d_view_free(struct e4d_view *v);

/* Gathers the pane's lines and puts the first `until` of them in order. */
void e4d_view_arrange(struct e4d_view *v, size_t until);

/* The line under the cursor, after e4d_view_arrange() over it; NULL: none. */
const void *e4d_view_at_cursor(struct e4d_view *v);

/* Moves the cursor by so many lines, within the list. */
void e4d_view_move(struct e4d_view *v, long by);

/* The next line after the cursor in which the text occurs; false: none. */
bool e4d_view_find(struct e4d_view *v, bool from_here);

void e4d_view_say(struct e4d_view *v, bool alarm, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Looks up the names of a line that is shown. */
void e4d_view_name(struct e4d_view *v, const void *item);

/* The filter of the key; an error is said. */
int e4d_view_set_filter(struct e4d_view *v, const char *text);

/* Draws the whole. */
void e4d_view_draw(struct e4d_view *v, struct e4d_frame *f);

#endif
