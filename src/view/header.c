/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdio.h>
#include <string.h>
#include "record/names.h"
#include "util/plural.h"
#include "view/columns.h"
#include "view/draw.h"

static const char *state_word(const struct e4d_view *v)
{
	if (v->m->feed->replay && v->m->feed->ended)
		return "END OF DUMP";
	if (v->m->feed->replay && !v->playing)
		return "STOPPED";
	if (v->m->paused)
		return "PAUSED";
	return v->m->feed->replay ? "REPLAY" : "";
}

/* ext4diotop 0.1.0  host  6.18.5  tier tracepoint  every 1s  lost 0   PAUSED 13:02:11 */
static void draw_first(const struct e4d_view *v, struct e4d_frame *f)
{
	const struct e4d_feed *feed = v->m->feed;
	char clock[16], right[48];
	size_t room;

	e4d_time_of_day(v->m->feed->boot_to_real_ns, v->m->now_ns, clock, sizeof(clock));
	snprintf(right, sizeof(right), "%s%s%s", state_word(v), *state_word(v) ? " " : "", clock);
	room = f->cols - strlen(right) - 1;
	e4d_frame_put(f, 0, E4D_A_BOLD, "ext4diotop ");
	if (f->cols >= 80)
		e4d_frame_put(f, 0, E4D_A_NORMAL, E4D_VERSION " ");
	if (v->m->lost) /* before what may not fit */
		e4d_frame_printf(f, 0, E4D_A_WARN, "LOST %llu! ", (unsigned long long)v->m->lost);
	e4d_frame_printf(f, 0, E4D_A_NORMAL, "%s%s every %gs ", f->cols >= 80 ? "tier " : "",
	                 e4d_tier_name(feed->tier), v->interval);
	if (!v->m->lost)
		e4d_frame_put(f, 0, E4D_A_NORMAL, "lost 0 ");
	if (f->line[0].cols + 12 < room) {
		char where[160];

		snprintf(where, sizeof(where), "%s %s", feed->host, feed->kernel);
		e4d_frame_name(f, 0, E4D_A_DIM, where, room - f->line[0].cols, false, false);
	}
	e4d_frame_to(f, 0, E4D_A_NORMAL, f->cols - strlen(right));
	e4d_frame_put(f, 0, *state_word(v) ? E4D_A_BOLD : E4D_A_NORMAL, right);
}

struct figure {
	const char *label;
	unsigned int drop; /* left out first: 1, 2, ...; 0: never */
	enum e4d_figure_kind kind;
	double v;
	bool null, warn;
};

#define FIGURES 10

static void set_figures(const struct e4d_view *v, struct figure *x)
{
	const struct e4d_model *m = v->m;
	struct e4d_item all = {.now = m->all.now, .before = m->all.before, .base = m->all.base};
	double per, mapped;
	struct e4d_figures f = e4d_item_figures(v, &all, false, &per);
	uint64_t in_flight = m->flight_n;

	mapped = (double)f.submitted - (double)f.unmapped;
	x[0] = (struct figure){"w", 0, E4D_FIG_COUNT, (double)f.writes / per, false, false};
	x[1] = (struct figure){"subm", 0, E4D_FIG_BYTES, (double)f.submitted / per, false, false};
	x[2] = (struct figure){"map", 6,    E4D_FIG_BYTES, mapped > 0 ? mapped / per : 0,
	                       false, false};
	x[3] = (struct figure){"over", 2, E4D_FIG_BYTES, (double)f.over / per, false, false};
	x[4] = (struct figure){
		"ext",           5,
		E4D_FIG_PERCENT, f.writes ? 100.0 * (double)f.extending / (double)f.writes : 0,
		!f.writes,       false};
	x[5] = (struct figure){"short", 3, E4D_FIG_COUNT, (double)f.shorts / per, false, false};
	x[6] = (struct figure){"err",        4, E4D_FIG_COUNT, (double)f.errors / per, false,
	                       f.errors != 0};
	x[7] = (struct figure){"infl", 7, E4D_FIG_COUNT, (double)in_flight, false, false};
	x[8] = (struct figure){"p50", 1, E4D_FIG_NS, e4d_figures_latency(&f, 500), false, false};
	x[9] = (struct figure){"p99", 0, E4D_FIG_NS, e4d_figures_latency(&f, 990), false, false};
	x[8].null = x[8].v <= 0;
	x[9].null = x[9].v <= 0;
}

static bool is_rate(const struct e4d_view *v, const struct figure *x)
{
	return v->mode != E4D_MODE_TOTAL &&
	       (x->kind == E4D_FIG_COUNT || x->kind == E4D_FIG_BYTES) && strcmp(x->label, "infl");
}

static size_t figure_text(const struct e4d_view *v, const struct figure *x, char *label,
                          char *value)
{
	snprintf(label, 16, "%s%s ", x->label, is_rate(v, x) ? "/s" : "");
	if (x->null)
		strcpy(value, "-");
	else
		e4d_figure(value, x->kind, v->units, x->v);
	return strlen(label) + strlen(value);
}

/* The filter's terms that the kernel side does not know: its sums are without them. */
static void draw_unfiltered(const struct e4d_view *v, struct e4d_frame *f)
{
	char text[256] = "unfiltered by";
	size_t len = strlen(text), cols, most = f->cols / 3;
	const char *term;

	if (!v->m->unfiltered)
		return;
	for (unsigned int i = 0; (term = e4d_filter_rest(v->m->filter, i)); i++)
		if (len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, " %s", term);
	cols = e4d_view_cols(text, strlen(text), v->utf8);
	e4d_frame_name(f, 1, E4D_A_WARN, text, cols < most ? cols : most, false, false);
	e4d_frame_put(f, 1, E4D_A_NORMAL, "  ");
}

/* w/s 12.3k  subm/s 48.1M  map/s 48.1M  over/s 0  ext 12%  short/s 0  err/s 0  infl 12 ... */
static void draw_figures(const struct e4d_view *v, struct e4d_frame *f)
{
	struct figure x[FIGURES];
	char label[16], value[E4D_FIGURE_MAX];
	bool out[FIGURES] = {false};
	size_t used = 0, room;

	draw_unfiltered(v, f);
	room = e4d_frame_left(f, 1) + 2;
	set_figures(v, x);
	for (size_t i = 0; i < FIGURES; i++)
		used += 2 + figure_text(v, &x[i], label, value);
	for (unsigned int drop = 1; used > room && drop < FIGURES; drop++)
		for (size_t i = 0; i < FIGURES; i++)
			if (x[i].drop == drop) {
				used -= 2 + figure_text(v, &x[i], label, value);
				out[i] = true;
			}
	for (size_t i = 0; i < FIGURES; i++) {
		if (out[i])
			continue;
		figure_text(v, &x[i], label, value);
		e4d_frame_put(f, 1, E4D_A_DIM, label);
		e4d_frame_put(f, 1, x[i].warn ? E4D_A_WARN : E4D_A_BOLD, value);
		e4d_frame_put(f, 1, E4D_A_NORMAL, "  ");
	}
}

/* The newest finding, where there is room for it. */
static void draw_latest(const struct e4d_view *v, struct e4d_frame *f)
{
	const struct e4d_finding *x = e4d_findings_latest(&v->m->findings);
	size_t room = e4d_frame_left(f, 2);
	char size[E4D_FIGURE_MAX], text[80];

	room = room > E4D_VIEW_HISTORY + 6 ? room - E4D_VIEW_HISTORY - 6 : 0;
	if (!x || room < 40)
		return;
	e4d_figure(size, E4D_FIG_BYTES, v->units, (double)x->last.past_eof);
	snprintf(text, sizeof(text), "%s %s past EOF ", e4d_verdict_name(x->last.verdict), size);
	e4d_frame_put(f, 2, E4D_A_NORMAL, text);
	e4d_frame_name(f, 2, E4D_A_NORMAL, x->path ? x->path : "(path not known)",
	               room - strlen(text), true, false);
}

static void draw_spark(const struct e4d_view *v, struct e4d_frame *f)
{
	char bar[E4D_VIEW_HISTORY * 4 + 1];
	size_t n = E4D_VIEW_HISTORY;

	if (n > e4d_frame_left(f, 2))
		n = e4d_frame_left(f, 2);
	e4d_spark(bar, sizeof(bar), v->m->history + E4D_VIEW_HISTORY - n, n, v->utf8);
	if (e4d_frame_left(f, 2) >= n + 5) {
		e4d_frame_to(f, 2, E4D_A_NORMAL, f->cols - n - 4);
		e4d_frame_put(f, 2, E4D_A_DIM, "w/s ");
	} else {
		e4d_frame_to(f, 2, E4D_A_NORMAL, f->cols - n);
	}
	e4d_frame_put(f, 2, E4D_A_NORMAL, bar);
}

/* ! 3 NEW FINDINGS  leak 1016K past EOF /srv/db          w/s, the last 60 refreshes */
static void draw_findings(const struct e4d_view *v, struct e4d_frame *f)
{
	const struct e4d_findings *x = &v->m->findings;

	if (x->unseen)
		e4d_frame_printf(f, 2, E4D_A_ALERT, "! %llu NEW FINDING%s",
		                 (unsigned long long)x->unseen, x->unseen == 1 ? "" : "S");
	else if (x->count)
		e4d_frame_printf(f, 2, E4D_A_ALERT, "! %llu finding%s",
		                 (unsigned long long)x->count, e4d_s(x->count));
	else if (v->m->lost)
		e4d_frame_put(f, 2, E4D_A_WARN, "no finding; blind!");
	else
		e4d_frame_put(f, 2, E4D_A_NORMAL, "no finding");
	e4d_frame_put(f, 2, E4D_A_NORMAL, "  ");
	draw_latest(v, f);
	draw_spark(v, f);
}

void e4d_draw_header(const struct e4d_view *v, struct e4d_frame *f)
{
	draw_first(v, f);
	draw_figures(v, f);
	draw_findings(v, f);
}

/* How many lines a pane has; false: that is not counted while another is shown. */
static bool count_of(const struct e4d_view *v, enum e4d_pane pane, size_t *n)
{
	const struct e4d_model *m = v->m;
	const size_t count[E4D_PANE_COUNT] = {
		[E4D_PANE_FILES] = m->files.n,
		[E4D_PANE_PROCS] = m->procs.n,
		[E4D_PANE_FS] = m->fs.n,
		[E4D_PANE_FLIGHTS] = m->flight_n,
		[E4D_PANE_FINDINGS] = m->findings.n,
	};

	*n = count[pane];
	return pane != E4D_PANE_PROCS || v->pane == pane || m->feed->replay;
}

static const char *tab_name(enum e4d_pane pane, size_t cols)
{
	const struct e4d_pane_def *d = &e4d_panes[pane];

	return cols >= 120 ? d->name : cols >= 80 ? d->shorter : d->shortest;
}

#define CHOICES_LEAST 16

/* The column that orders the lines, where there is no room for it. */
static const char *hidden_order(const struct e4d_view *v, size_t width)
{
	const struct e4d_pane_def *d = &e4d_panes[v->pane];
	unsigned int sort = v->place[v->pane].sort;
	uint16_t cols[E4D_COLUMNS_MAX];

	e4d_columns_fit(v, v->pane, width, cols);
	return cols[sort] || v->showing != E4D_SHOW_LIST ? NULL : d->column[sort].title;
}

/* What is not as it is at the start: it changes what the lines below mean. */
static void put_choices(const struct e4d_view *v, size_t width, char *out, size_t len)
{
	static const char *const modes[] = {"", " TOTAL", " AVERAGE"};
	static const char *const units[] = {"", " 1000", " exact"};

	const char *order = hidden_order(v, width);

	snprintf(out, len, "%s%s%s%s%s%s%s%s%s", order ? " by " : "", order ? order : "",
	         modes[v->mode], units[v->units], v->active_only ? " active" : "",
	         v->filter ? " filter: " : "", e4d_filter_text(v->filter),
	         v->m->filter ? " --filter " : "", e4d_filter_text(v->m->filter));
}

static void tab_text(const struct e4d_view *v, enum e4d_pane pane, bool counts, size_t cols,
                     char out[48])
{
	char count[24] = "";
	size_t n;

	if (count_of(v, pane, &n) && counts)
		snprintf(count, sizeof(count), " %zu", n);
	snprintf(out, 48, " %d %s%s%s ", (int)pane + 1, tab_name(pane, cols), count,
	         pane == E4D_PANE_FINDINGS && v->m->findings.unseen ? "!" : "");
}

/* The counts make room for what was chosen, where there is next to none. */
void e4d_draw_tabs(const struct e4d_view *v, struct e4d_frame *f, size_t y)
{
	char right[E4D_FILTER_MAX * 2 + 64], text[48];
	size_t n, used = 0;
	bool counts;

	put_choices(v, f->cols, right, sizeof(right));
	n = e4d_view_cols(right, strlen(right), v->utf8);
	for (int p = 0; p < E4D_PANE_COUNT; p++) {
		tab_text(v, p, true, f->cols, text);
		used += strlen(text);
	}
	counts = used + (n < CHOICES_LEAST ? n : CHOICES_LEAST) <= f->cols;
	for (int p = 0; p < E4D_PANE_COUNT; p++) {
		bool here = p == (int)v->pane && v->showing != E4D_SHOW_HELP;

		tab_text(v, p, counts, f->cols, text);
		e4d_frame_put(f, y, here ? E4D_A_CURSOR : E4D_A_BAR, text);
	}
	if (n > e4d_frame_left(f, y))
		n = e4d_frame_left(f, y);
	e4d_frame_to(f, y, E4D_A_BAR, f->cols - n);
	e4d_frame_name(f, y, E4D_A_BAR, right, n, false, false);
}
