/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The whole screen: header, tabs, list or text, the last line. */
#include <stdio.h>
#include <string.h>
#include "view/columns.h"
#include "view/draw.h"
#include "view/keys.h"

static const char *order_sign(const struct e4d_view *v, bool upward)
{
	if (v->utf8)
		return upward ? "\u25b2" : "\u25bc";
	return upward ? "^" : "v";
}

static void draw_titles(const struct e4d_view *v, struct e4d_frame *f, size_t y,
                        const uint16_t *cols)
{
	const struct e4d_pane_def *d = &e4d_panes[v->pane];
	const struct e4d_place *p = &v->place[v->pane];

	for (unsigned int i = 0; i < d->columns; i++) {
		const struct e4d_column *c = &d->column[i];
		const char *title = c->title;
		enum e4d_attr attr = i == p->sort ? E4D_A_SORT : E4D_A_BAR;
		const char *sign;
		char text[32];
		bool fits;

		if (!cols[i])
			continue;
		if (v->mode == E4D_MODE_TOTAL && c->total_title)
			title = c->total_title;
		/* the order is shown by a sign too, which may take the blank behind the column */
		sign = i == p->sort ? order_sign(v, c->upward != p->reverse) : "";
		fits = strlen(title) < cols[i];
		snprintf(text, sizeof(text), "%.24s%.4s", title, fits ? sign : "");
		e4d_frame_name(f, y, attr, text, cols[i], false, !c->left);
		e4d_frame_put(f, y, fits || !*sign ? E4D_A_BAR : attr, fits || !*sign ? " " : sign);
	}
	e4d_frame_to(f, y, E4D_A_BAR, f->cols);
}

void e4d_view_name(struct e4d_view *v, const void *item)
{
	/* the items are the model's own, not const there */
	if (v->pane == E4D_PANE_FILES)
		e4d_model_name_file(v->m, (struct e4d_item *)item);
	else if (v->pane == E4D_PANE_PROCS)
		e4d_model_name_proc(v->m, (struct e4d_item *)item);
	else if (v->pane == E4D_PANE_FS)
		e4d_model_name_fs(v->m, (struct e4d_item *)item);
}

static void draw_line(struct e4d_view *v, struct e4d_frame *f, size_t y, const uint16_t *cols,
                      const void *item, bool cursor)
{
	const struct e4d_pane_def *d = &e4d_panes[v->pane];

	e4d_view_name(v, item);
	for (unsigned int i = 0; i < d->columns; i++) {
		const struct e4d_column *c = &d->column[i];
		struct e4d_cell cell = {0};
		enum e4d_attr attr;

		if (!cols[i])
			continue;
		c->get(v, item, c->what, &cell);
		/* a finding shows through the cursor */
		attr = cursor && cell.attr != E4D_A_ALERT ? E4D_A_CURSOR : cell.attr;
		e4d_frame_name(f, y, attr, e4d_cell_text(v, &cell), cols[i], c->left && !c->width,
		               !c->left);
		e4d_frame_put(f, y, cursor ? E4D_A_CURSOR : E4D_A_NORMAL, " ");
	}
	e4d_frame_to(f, y, cursor ? E4D_A_CURSOR : E4D_A_NORMAL, f->cols);
}

static bool filter_asks(const struct e4d_view *v, bool (*asks)(const struct e4d_filter *f))
{
	return asks(v->filter) || (v->m->unfiltered && asks(v->m->filter));
}

/* What a filter asks for that lines of the pane never have; NULL: nothing. */
static const char *never_known(const struct e4d_view *v)
{
	bool of_many = v->pane == E4D_PANE_FS || v->pane == E4D_PANE_PROCS;

	if (of_many && filter_asks(v, e4d_filter_needs_path))
		return "path";
	if (v->pane == E4D_PANE_FS && filter_asks(v, e4d_filter_needs_comm))
		return "comm";
	return NULL;
}

/* What an empty list of files, processes or file systems means. */
static void no_items(const struct e4d_view *v, char *out, size_t len)
{
	const struct e4d_items *const all[] = {&v->m->files, &v->m->procs, &v->m->fs};
	const struct e4d_items *t = all[v->pane];
	const char *never = never_known(v);

	if (v->pane == E4D_PANE_PROCS && v->m->procs_ns.now == v->m->procs_ns.before)
		snprintf(out, len,
		         v->m->paused ? "Paused, and processes were not counted: Space goes on."
		                      : "Processes are counted from now on: figures come with "
		                        "the next refresh.");
	else if (!t->n && !t->other.now.writes)
		snprintf(out, len, "No direct write to ext4 so far%s.",
		         v->m->filter ? " that --filter lets through" : "");
	else if (v->unnamed)
		snprintf(out, len, "Nothing so far that the filter lets through: %u %s.",
		         v->unnamed, "names not yet looked up");
	else if (never)
		snprintf(out, len, "The filter's %s cannot be told of a %s: see Files.", never,
		         v->pane == E4D_PANE_FS ? "file system" : "process");
	else if (v->filter || v->m->unfiltered)
		snprintf(out, len, "Nothing that the filter lets through%s.",
		         v->active_only ? " is active" : "");
	else if (v->mode == E4D_MODE_RATE)
		snprintf(out, len, "No direct write to ext4 in this interval.");
	else
		snprintf(out, len, "No direct write to ext4 since these totals began.");
}

/* What an empty list means. */
static void nothing(const struct e4d_view *v, char *out, size_t len)
{
	const struct e4d_model *m = v->m;
	const char *text;

	if (v->pane == E4D_PANE_FINDINGS && m->findings.n)
		text = "No finding that the filter lets through.";
	else if (v->pane == E4D_PANE_FINDINGS)
		text = m->lost ? "No finding, but events were lost: that proves nothing."
		               : "No finding so far.";
	else if (v->pane == E4D_PANE_FLIGHTS)
		text = m->flight_n ? "No write that the filter lets through is under way."
		                   : "No direct write is under way.";
	else {
		no_items(v, out, len);
		return;
	}
	snprintf(out, len, "%s", text);
}

void e4d_draw_list(struct e4d_view *v, struct e4d_frame *f, size_t y, size_t rows)
{
	struct e4d_place *p = &v->place[v->pane];
	uint16_t cols[E4D_COLUMNS_MAX];
	char text[160];

	e4d_columns_fit(v, v->pane, f->cols, cols);
	draw_titles(v, f, y, cols);
	v->list_rows = rows - 1;
	v->width = f->cols;
	e4d_view_arrange(v, 0);
	v->drawing = true;
	for (size_t i = 0; i < v->list_rows && p->top + i < v->sorted; i++)
		draw_line(v, f, y + 1 + i, cols, v->entry[p->top + i].item,
		          p->top + i == p->cursor && !v->batch);
	v->drawing = false;
	if (!v->entry_n) {
		nothing(v, text, sizeof(text));
		e4d_frame_put(f, y + 1, E4D_A_DIM, text);
	}
}

/* Lines of a text, from text_top and text_left on. */
static void draw_text(struct e4d_view *v, struct e4d_frame *f, size_t y, size_t rows,
                      const struct e4d_outbuf *ob)
{
	const char *at = ob->data, *end = ob->data ? ob->data + ob->len : NULL;
	size_t total = 0, n = 0, widest = 0;

	for (const char *p = at, *line = at; p && p < end; p++)
		if (*p == '\n') {
			size_t cols = e4d_view_cols(line, (size_t)(p - line), v->utf8);

			widest = cols > widest ? cols : widest;
			line = p + 1;
			total++;
		}
	if (v->text_top + rows > total)
		v->text_top = total > rows ? total - rows : 0;
	if (v->text_left + f->cols > widest)
		v->text_left = widest > f->cols ? widest - f->cols : 0;
	for (; at && at < end && n < v->text_top + rows; n++) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t len = eol ? (size_t)(eol - at) : (size_t)(end - at), from;
		char line[1024];
		enum e4d_attr attr;

		if (n >= v->text_top && len < sizeof(line)) {
			memcpy(line, at, len);
			line[len] = 0;
			attr = strstr(line, " !") ? E4D_A_ALERT : E4D_A_NORMAL;
			for (from = v->text_left; from < len && (line[from] & 0xc0) == 0x80;)
				from++; /* not half a character */
			if (len > from)
				e4d_frame_put(f, y + n - v->text_top, attr, line + from);
		}
		at += len + 1;
	}
}

static void draw_detail(struct e4d_view *v, struct e4d_frame *f, size_t y, size_t rows)
{
	struct e4d_outbuf ob = {0};

	e4d_detail_refresh(&v->detail);
	e4d_detail_text(&v->detail, f->cols, v->utf8, &ob);
	draw_text(v, f, y, rows, &ob);
	e4d_ob_free(&ob);
}

static void draw_help(struct e4d_view *v, struct e4d_frame *f, size_t y, size_t rows)
{
	struct e4d_outbuf ob = {0};

	e4d_keys_help(v, &ob);
	draw_text(v, f, y, rows, &ob);
	e4d_ob_free(&ob);
}

static const char *const prompts[] = {
	[E4D_PROMPT_SEARCH] = "search: ",
	[E4D_PROMPT_FILTER] = "filter: ",
	[E4D_PROMPT_INTERVAL] = "seconds between refreshes: ",
	[E4D_PROMPT_MARK] = "mark: ",
	[E4D_PROMPT_SAVE] = "save the writes seen in new directory: ",
	[E4D_PROMPT_TIME] = "go to time (HH:MM:SS, or +S seconds from the start): ",
};

static void draw_last_line(struct e4d_view *v, struct e4d_frame *f, size_t y)
{
	size_t left, skip, len = strlen(v->input);

	if (v->prompt) {
		e4d_frame_put(f, y, E4D_A_BOLD, prompts[v->prompt]);
		left = e4d_frame_left(f, y);
		skip = len + 1 > left ? len + 1 - left : 0;
		while (skip < len && ((unsigned char)v->input[skip] & 0xc0) == 0x80)
			skip++;
		e4d_frame_name(f, y, E4D_A_NORMAL, v->input + skip,
		               e4d_view_cols(v->input + skip, len - skip, v->utf8), false, false);
		e4d_frame_put(f, y, E4D_A_CURSOR, " ");
	} else if (v->message[0]) {
		e4d_frame_name(f, y, v->alarm ? E4D_A_ALERT : E4D_A_BOLD, v->message, f->cols,
		               false, false);
	} else {
		e4d_keys_line(v, f, y);
	}
}

void e4d_view_draw(struct e4d_view *v, struct e4d_frame *f)
{
	size_t body;

	if (f->rows < E4D_LEAST_ROWS || f->cols < E4D_LEAST_COLS) {
		e4d_frame_printf(f, 0, E4D_A_BOLD, "too small: %dx%d wanted", E4D_LEAST_COLS,
		                 E4D_LEAST_ROWS);
		if (v->m->findings.unseen)
			e4d_frame_printf(f, 1, E4D_A_ALERT, "! findings: %llu",
			                 (unsigned long long)v->m->findings.unseen);
		return;
	}
	e4d_draw_header(v, f);
	body = f->rows - E4D_HEADER_ROWS - 2;
	e4d_draw_tabs(v, f, E4D_HEADER_ROWS);
	if (v->showing == E4D_SHOW_DETAIL)
		draw_detail(v, f, E4D_HEADER_ROWS + 1, body);
	else if (v->showing == E4D_SHOW_HELP)
		draw_help(v, f, E4D_HEADER_ROWS + 1, body);
	else
		e4d_draw_list(v, f, E4D_HEADER_ROWS + 1, body);
	draw_last_line(v, f, f->rows - 1);
}
