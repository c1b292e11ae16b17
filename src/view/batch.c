/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "record/names.h"
#include "util/escape.h"
#include "view/batch.h"
#include "view/columns.h"
#include "view/draw.h"

static void put_quoted(struct e4d_outbuf *ob, const char *s)
{
	size_t len = strlen(s);
	char *at = e4d_ob_reserve(ob, len * E4D_ESCAPE_JSON_MAX + 2);

	if (!at)
		return;
	*at++ = '"';
	at = e4d_escape_json(at, s, len);
	*at++ = '"';
	e4d_ob_advance(ob, at);
}

/* A number for programs: bytes and ns are whole, counts where they are, else with three places. */
static void put_number(struct e4d_outbuf *ob, enum e4d_figure_kind kind, double v)
{
	char text[48];

	if (kind == E4D_FIG_BYTES || kind == E4D_FIG_NS)
		v = round(v);
	snprintf(text, sizeof(text), v == floor(v) && fabs(v) < 1e15 ? "%.0f" : "%.3f", v);
	e4d_ob_str(ob, text);
}

static void put_member(struct e4d_outbuf *ob, const char *key, enum e4d_figure_kind kind, double v)
{
	e4d_ob_char(ob, ',');
	put_quoted(ob, key);
	e4d_ob_char(ob, ':');
	put_number(ob, kind, v);
}

/* A latency, ns; 0: not known. */
static void put_latency(struct e4d_outbuf *ob, const char *key, double ns)
{
	if (ns > 0) {
		put_member(ob, key, E4D_FIG_NS, ns);
		return;
	}
	e4d_ob_char(ob, ',');
	put_quoted(ob, key);
	e4d_ob_str(ob, ":null");
}

/* Rates have their unit in the key, totals have not. */
static const char *key_of(const struct e4d_view *v, const struct e4d_column *c, char room[64])
{
	if (v->mode == E4D_MODE_TOTAL || !strstr(c->title, "/s"))
		return c->key;
	snprintf(room, 64, "%s_per_s", c->key);
	return room;
}

/* The text of a cell without the sign that the screen puts before a finding. */
static const char *plain(const struct e4d_column *c, const char *s)
{
	return !strcmp(c->key, "verdict") && *s == '!' ? s + 1 : s;
}

static void json_row(struct e4d_view *v, const void *item, struct e4d_outbuf *ob)
{
	const struct e4d_pane_def *d = &e4d_panes[v->pane];
	char room[64];

	e4d_ob_char(ob, '{');
	for (unsigned int i = 0; i < d->columns; i++) {
		const struct e4d_column *c = &d->column[i];
		struct e4d_cell cell = {0};

		c->get(v, item, c->what, &cell);
		if (i)
			e4d_ob_char(ob, ',');
		put_quoted(ob, key_of(v, c, room));
		e4d_ob_char(ob, ':');
		if (cell.type == E4D_CELL_NULL || cell.stand_in)
			e4d_ob_str(ob, "null");
		else if (cell.type == E4D_CELL_NUMBER)
			put_number(ob, cell.kind, cell.num);
		else
			put_quoted(ob, plain(c, cell.str));
	}
	e4d_ob_char(ob, '}');
}

static void json_losses(const struct e4d_model *m, struct e4d_outbuf *ob)
{
	e4d_ob_str(ob, ",\"losses\":{");
	for (size_t i = 0; i < m->loss_n; i++) {
		if (i)
			e4d_ob_char(ob, ',');
		put_quoted(ob, m->loss[i].name);
		e4d_ob_char(ob, ':');
		e4d_ob_u64(ob, m->loss[i].n);
	}
	e4d_ob_char(ob, '}');
}

/* The filter's terms that the head's numbers are without. */
static void json_unfiltered(const struct e4d_model *m, struct e4d_outbuf *ob)
{
	const char *term;

	e4d_ob_str(ob, ",\"unfiltered\":[");
	for (unsigned int i = 0; m->unfiltered && (term = e4d_filter_rest(m->filter, i)); i++) {
		if (i)
			e4d_ob_char(ob, ',');
		put_quoted(ob, term);
	}
	e4d_ob_char(ob, ']');
}

static void json_head(struct e4d_batch *b, struct e4d_view *v, struct e4d_outbuf *ob)
{
	const struct e4d_model *m = v->m;
	struct e4d_item all = {.now = m->all.now, .before = m->all.before, .base = m->all.base};
	const char *per_s = v->mode == E4D_MODE_TOTAL ? "" : "_per_s";
	char ts[E4D_TIME_MAX], key[64];
	double per;
	struct e4d_figures f = e4d_item_figures(v, &all, false, &per);
	const struct {
		const char *key;
		enum e4d_figure_kind kind;
		double v;
	} table[] = {
		{"writes", E4D_FIG_COUNT, (double)f.writes},
		{"submitted", E4D_FIG_BYTES, (double)f.submitted},
		{"mapped", E4D_FIG_BYTES, (double)f.submitted - (double)f.unmapped},
		{"over_mapped", E4D_FIG_BYTES, (double)f.over},
		{"extending", E4D_FIG_COUNT, (double)f.extending},
		{"short", E4D_FIG_COUNT, (double)f.shorts},
		{"errors", E4D_FIG_COUNT, (double)f.errors},
	};

	b->clock.boot_to_real_ns = m->feed->boot_to_real_ns;
	e4d_clock_format(&b->clock, m->now_ns, ts);
	e4d_ob_str(ob, "{\"ts\":");
	put_quoted(ob, ts);
	put_member(ob, "interval_s", E4D_FIG_PLAIN, e4d_model_interval(m));
	e4d_ob_str(ob, ",\"tier\":");
	put_quoted(ob, e4d_tier_name(m->feed->tier));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(key, sizeof(key), "%s%s", table[i].key, per_s);
		put_member(ob, key, table[i].kind, table[i].v / per);
	}
	put_latency(ob, "p50_ns", e4d_figures_latency(&f, 500));
	put_latency(ob, "p99_ns", e4d_figures_latency(&f, 990));
	put_member(ob, "in_flight", E4D_FIG_COUNT, m->flight_n);
	put_member(ob, "findings", E4D_FIG_COUNT, (double)m->findings.count);
	put_member(ob, "lost", E4D_FIG_COUNT, (double)m->lost);
	json_losses(m, ob);
	json_unfiltered(m, ob);
}

static void put_json(struct e4d_batch *b, struct e4d_view *v, struct e4d_outbuf *ob, size_t n)
{
	json_head(b, v, ob);
	e4d_ob_str(ob, ",\"");
	e4d_ob_str(ob, e4d_panes[v->pane].key);
	/* the head has a number of that name */
	if (v->pane == E4D_PANE_FLIGHTS || v->pane == E4D_PANE_FINDINGS)
		e4d_ob_str(ob, "_rows");
	e4d_ob_str(ob, "\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			e4d_ob_char(ob, ',');
		json_row(v, v->entry[i].item, ob);
	}
	e4d_ob_str(ob, "]}\n");
}

static void csv_text(struct e4d_outbuf *ob, const char *s)
{
	size_t len = strlen(s);
	char *at = e4d_ob_reserve(ob, len * E4D_ESCAPE_TEXT_MAX + 2);

	if (at)
		e4d_ob_advance(ob, e4d_escape_csv(at, s, len));
}

static void csv_row(struct e4d_view *v, const void *item, const char *ts, struct e4d_outbuf *ob)
{
	const struct e4d_pane_def *d = &e4d_panes[v->pane];

	e4d_ob_str(ob, ts);
	for (unsigned int i = 0; i < d->columns; i++) {
		const struct e4d_column *c = &d->column[i];
		struct e4d_cell cell = {0};

		e4d_ob_char(ob, ',');
		c->get(v, item, c->what, &cell);
		if (cell.type == E4D_CELL_NUMBER)
			put_number(ob, cell.kind, cell.num);
		else if (cell.type == E4D_CELL_TEXT && !cell.stand_in)
			csv_text(ob, plain(c, cell.str));
	}
	e4d_ob_char(ob, '\n');
}

static void put_csv(struct e4d_batch *b, struct e4d_view *v, struct e4d_outbuf *ob, size_t n)
{
	const struct e4d_pane_def *d = &e4d_panes[v->pane];
	char ts[E4D_TIME_MAX], room[64];

	if (!b->begun && !b->quiet) {
		e4d_ob_str(ob, "ts");
		for (unsigned int i = 0; i < d->columns; i++) {
			e4d_ob_char(ob, ',');
			e4d_ob_str(ob, key_of(v, &d->column[i], room));
		}
		e4d_ob_char(ob, '\n');
	}
	b->clock.boot_to_real_ns = v->m->feed->boot_to_real_ns;
	e4d_clock_format(&b->clock, v->m->now_ns, ts);
	for (size_t i = 0; i < n; i++)
		csv_row(v, v->entry[i].item, ts, ob);
	for (size_t i = 0; i < v->m->loss_n; i++) { /* as trace --csv says it */
		e4d_ob_str(ob, "# loss,");
		csv_text(ob, v->m->loss[i].name);
		e4d_ob_char(ob, ',');
		e4d_ob_u64(ob, v->m->loss[i].n);
		e4d_ob_char(ob, '\n');
	}
}

static void put_frame(const struct e4d_batch *b, struct e4d_outbuf *ob, size_t from)
{
	static const char *const sgr[E4D_A_COUNT] = {
		[E4D_A_BOLD] = "\033[1m",    [E4D_A_BAR] = "\033[7m",      [E4D_A_SORT] = "\033[7m",
		[E4D_A_WARN] = "\033[1;33m", [E4D_A_ALERT] = "\033[1;31m",
	};

	for (size_t y = from; y < b->frame.rows; y++) {
		const struct e4d_frame_line *l = &b->frame.line[y];
		size_t len = l->len;

		while (len && l->text[len - 1] == ' ')
			len--;
		for (size_t i = 0; i < l->run_n; i++) {
			size_t to = i + 1 < l->run_n ? l->run[i + 1].from : l->len;
			const char *on = b->color ? sgr[l->run[i].attr] : NULL;

			to = to < len ? to : len;
			if (to <= l->run[i].from)
				continue;
			if (on)
				e4d_ob_str(ob, on);
			e4d_ob_mem(ob, l->text + l->run[i].from, to - l->run[i].from);
			if (on)
				e4d_ob_str(ob, "\033[0m");
		}
		e4d_ob_char(ob, '\n');
	}
}

/* The screen's own header and list, on a frame as long as needed. */
static void put_text(struct e4d_batch *b, struct e4d_view *v, struct e4d_outbuf *ob, size_t n)
{
	size_t rows = E4D_HEADER_ROWS + 1 + (n ? n : 1);

	if (e4d_frame_begin(&b->frame, rows, b->cols, v->utf8))
		return;
	if (!b->quiet)
		e4d_draw_header(v, &b->frame);
	e4d_draw_list(v, &b->frame, E4D_HEADER_ROWS, rows - E4D_HEADER_ROWS);
	if (b->begun && !b->quiet)
		e4d_ob_char(ob, '\n');
	put_frame(b, ob, b->quiet ? E4D_HEADER_ROWS + 1 : 0);
}

void e4d_batch_put(struct e4d_batch *b, struct e4d_view *v, struct e4d_outbuf *ob)
{
	size_t n;

	v->batch = true;
	v->list_rows = b->rows ? b->rows : SIZE_MAX / 2;
	e4d_view_arrange(v, 0);
	n = v->sorted;
	if (b->format == E4D_BATCH_TEXT) {
		put_text(b, v, ob, n);
	} else {
		v->drawing = true;
		for (size_t i = 0; i < n; i++)
			e4d_view_name(v, v->entry[i].item);
		if (b->format == E4D_BATCH_JSON)
			put_json(b, v, ob, n);
		else
			put_csv(b, v, ob, n);
		v->drawing = false;
	}
	b->begun = true;
}

void e4d_batch_free(struct e4d_batch *b)
{
	e4d_frame_free(&b->frame);
}
