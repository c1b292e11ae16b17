/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The lines of a pane: gathered, filtered, and put in order as far as they are shown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "record/fields.h"
#include "view/columns.h"

/* Names looked up in one go for a filter or a search that needs them: a screen's worth and more. */
#define NAMES_AT_ONCE 256

struct gathering {
	struct e4d_view *v;
	const struct e4d_column *by;
	unsigned int names; /* that may still be looked up, for a filter */
	bool needs_path, needs_comm;
};

/* What a filter sees of a line that is no single write: its last, with the line's own. */
static struct e4d_record record_of(const struct e4d_item *i, enum e4d_pane pane)
{
	struct e4d_record r = i->last;

	r.pid = pane == E4D_PANE_PROCS ? (uint32_t)i->key.id : i->pid;
	memcpy(r.comm, i->comm, sizeof(r.comm));
	r.verdict = i->recorded ? i->worst : E4D_CLEAN;
	r.flags = i->modes | (i->now.extending ? E4D_F_EXTEND : 0);
	if (pane == E4D_PANE_FILES) {
		r.ino = i->key.id;
		r.gen = i->key.gen;
	}
	if (pane != E4D_PANE_PROCS)
		r.dev = i->key.dev;
	if (!i->recorded && i->now.writes) {
		r.submitted = (uint32_t)(i->now.submitted / i->now.writes);
		r.latency_ns = (uint64_t)e4d_figures_latency(&i->now, 500);
	}
	return r;
}

/*
 * What the feed has not applied of the command line's filter. The rest holds for all that
 * is fed: a process of one file system's writes has no device, and yet is meant.
 */
static bool fed_by(struct e4d_model *m, const struct e4d_record *r, const char *path)
{
	if (!m->unfiltered)
		return true;
	if (!e4d_filter_match_rest(m->filter, r, path))
		return false;
	m->matched = true;
	return true;
}

static bool active(const struct e4d_view *v, const struct e4d_item *i)
{
	if (v->mode == E4D_MODE_RATE)
		return i->now.writes > i->before.writes || i->in_flight;
	return i->now.writes > i->base.writes || i->in_flight;
}

/* By any of the writers that the line had. */
static bool matches_any(const struct e4d_filter *f, const struct e4d_item *i, struct e4d_record *r,
                        const char *path)
{
	bool match = e4d_filter_match(f, r, path);

	for (int k = 0; k < E4D_WRITERS && !match && i->wrote[k]; k++) {
		r->pid = i->wrote[k];
		match = e4d_filter_match(f, r, path);
	}
	return match;
}

/* Has it no name yet that a filter asks for? */
static bool nameless(const struct gathering *g, const struct e4d_item *i)
{
	return g->v->pane == E4D_PANE_FILES &&
	       ((!i->path && g->needs_path) || (!i->comm[0] && g->needs_comm));
}

static bool item_wanted(struct gathering *g, struct e4d_item *i)
{
	struct e4d_view *v = g->v;
	const char *path;
	struct e4d_record r;

	if (v->active_only && !active(v, i))
		return false;
	if (!v->filter && !v->m->unfiltered)
		return true;
	if (i->other) /* nobody can tell */
		return false;
	if (nameless(g, i) && g->names)
		g->names -= e4d_model_name_file(v->m, i);
	v->unnamed += !i->asked_ns && nameless(g, i);
	/* that of the other panes' lines is no file's */
	path = v->pane == E4D_PANE_FILES ? i->path : NULL;
	r = record_of(i, v->pane);
	return fed_by(v->m, &r, path) && matches_any(v->filter, i, &r, path);
}

/* A write under way has no names of its own: those of its file and its process. */
static const char *flight_names(struct gathering *g, const struct e4d_flight *f,
                                char comm[E4D_COMM_LEN])
{
	struct e4d_model *m = g->v->m;
	struct e4d_item_key file = {.id = f->ino, .dev = f->dev, .gen = f->gen};
	struct e4d_item_key proc = {.id = f->pid};
	struct e4d_item *i = e4d_items_find(&m->procs, &proc);

	if (g->needs_comm && i)
		memcpy(comm, i->comm, E4D_COMM_LEN);
	if (g->needs_comm && !comm[0] && f->pid && g->names && m->feed->ops->comm) {
		g->names--;
		m->feed->ops->comm(m->feed, f->pid, comm);
	}
	i = g->needs_path ? e4d_items_find(&m->files, &file) : NULL;
	if (i && !i->path && g->names)
		g->names -= e4d_model_name_file(m, i);
	return i ? i->path : NULL;
}

static bool flight_wanted(struct gathering *g, const struct e4d_flight *f)
{
	const struct e4d_view *v = g->v;
	struct e4d_record r = {
		.ts_ns = f->begin_ns,
		.ino = f->ino,
		.dev = f->dev,
		.gen = f->gen,
		.pid = f->pid,
		.tid = f->tid,
		.offset = f->offset,
		.submitted = f->submitted,
		.mapped = f->mapped,
		.flags = f->flags,
	};

	const char *path = flight_names(g, f, r.comm);

	return fed_by(v->m, &r, path) && e4d_filter_match(v->filter, &r, path);
}

static void add(struct gathering *g, const void *item, bool first)
{
	struct e4d_view *v = g->v;
	struct e4d_entry *e;
	struct e4d_cell c = {0};

	if (v->entry_n == v->entry_cap) {
		size_t cap = v->entry_cap ? 2 * v->entry_cap : 1024;
		struct e4d_entry *p = reallocarray(v->entry, cap, sizeof(*p));

		if (!p) /* shown without it */
			return;
		v->entry = p;
		v->entry_cap = cap;
	}
	e = &v->entry[v->entry_n++];
	g->by->get(v, item, g->by->what, &c);
	e->item = item;
	e->first = first;
	e->num = c.type == E4D_CELL_NULL ? -1 : c.num;
	/* buf does not last, and has its order in num */
	e->str = c.type == E4D_CELL_TEXT && c.str != c.buf ? c.str : NULL;
}

static void gather_items(struct gathering *g, struct e4d_items *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (item_wanted(g, &t->row[i]))
			add(g, &t->row[i], false);
	if (t->other.now.writes && item_wanted(g, &t->other))
		add(g, &t->other, false);
}

static void gather(struct e4d_view *v)
{
	struct e4d_model *m = v->m;
	struct gathering g = {
		.v = v,
		.by = &e4d_panes[v->pane].column[v->place[v->pane].sort],
		.names = NAMES_AT_ONCE,
		.needs_path = e4d_filter_needs_path(v->filter) || e4d_filter_needs_path(m->filter),
		.needs_comm = e4d_filter_needs_comm(v->filter) || e4d_filter_needs_comm(m->filter),
	};

	v->entry_n = 0;
	v->unnamed = 0;
	switch (v->pane) {
	case E4D_PANE_FILES:
		gather_items(&g, &m->files);
		break;
	case E4D_PANE_PROCS:
		gather_items(&g, &m->procs);
		break;
	case E4D_PANE_FS:
		gather_items(&g, &m->fs);
		break;
	case E4D_PANE_FLIGHTS:
		for (uint32_t i = 0; i < m->flight_n; i++)
			if (flight_wanted(&g, &m->flights[i]))
				add(&g, &m->flights[i], false);
		break;
	case E4D_PANE_FINDINGS:
		for (size_t i = 0; i < m->findings.n; i++) {
			const struct e4d_finding *f = &m->findings.row[i];

			if (e4d_filter_match(v->filter, &f->last, f->path))
				add(&g, f, f->unseen || f->held);
		}
		break;
	case E4D_PANE_COUNT:
		break;
	}
}

/* The order of a pane; ties as the model has them, so that lines do not jump. */
static int compare(const struct e4d_entry *a, const struct e4d_entry *b, bool upward)
{
	int c;

	if (a->first != b->first)
		return a->first ? -1 : 1;
	if (a->str && b->str)
		c = strcmp(a->str, b->str);
	else if (!a->str != !b->str)
		c = a->str ? -1 : 1;
	else
		c = a->num < b->num ? -1 : a->num > b->num;
	if (!upward)
		c = -c;
	if (!c)
		c = a->item < b->item ? -1 : a->item > b->item;
	return c;
}

static int compare_up(const void *a, const void *b)
{
	return compare(a, b, true);
}

static int compare_down(const void *a, const void *b)
{
	return compare(a, b, false);
}

/* Brings the first k in front of all others, in no order (Hoare's selection). */
static void select_first(struct e4d_entry *e, size_t n, size_t k, bool upward)
{
	size_t lo = 0, hi = n;

	while (hi - lo > 1 && k > lo && k < hi) {
		struct e4d_entry pivot = e[lo + (hi - lo - 1) / 2],
				 t; /* never the last: each round gets on */
		size_t i = lo, j = hi - 1;

		for (;;) {
			while (compare(&e[i], &pivot, upward) < 0)
				i++;
			while (compare(&pivot, &e[j], upward) < 0)
				j--;
			if (i >= j)
				break;
			t = e[i];
			e[i++] = e[j];
			e[j--] = t;
		}
		/* e[lo..j] <= pivot <= e[j+1..hi) */
		if (k <= j)
			hi = j + 1;
		else
			lo = j + 1;
	}
}

static struct e4d_ident ident_of(enum e4d_pane pane, const void *p)
{
	const struct e4d_finding *finding = p;
	const struct e4d_flight *flight = p;
	const struct e4d_item *item = p;

	switch (pane) {
	case E4D_PANE_FLIGHTS:
		return (struct e4d_ident){flight->begin_ns, flight->ino, flight->tid};
	case E4D_PANE_FINDINGS:
		return (struct e4d_ident){finding->last.ino, finding->last.gen,
		                          (uint64_t)finding->last.dev << 8 | finding->last.verdict};
	default:
		return (struct e4d_ident){item->key.id, item->key.dev, item->key.gen};
	}
}

static bool same(const struct e4d_ident *a, const struct e4d_ident *b)
{
	return a->a == b->a && a->b == b->b && a->c == b->c;
}

/* The cursor goes where its line has gone. */
static void follow(struct e4d_view *v, bool upward)
{
	struct e4d_place *p = &v->place[v->pane];
	const struct e4d_entry *line = NULL;
	size_t rank = 0;

	if (!p->follow)
		return;
	for (size_t i = 0; i < v->entry_n && !line; i++) {
		struct e4d_ident at = ident_of(v->pane, v->entry[i].item);

		if (same(&at, &p->at))
			line = &v->entry[i];
	}
	if (!line)
		return;
	for (size_t i = 0; i < v->entry_n; i++)
		rank += compare(&v->entry[i], line, upward) < 0;
	p->cursor = rank;
}

static void keep_in_sight(struct e4d_view *v)
{
	struct e4d_place *p = &v->place[v->pane];
	size_t rows = v->list_rows ? v->list_rows : 1;

	if (p->cursor >= v->entry_n)
		p->cursor = v->entry_n ? v->entry_n - 1 : 0;
	if (p->top + rows > v->entry_n)
		p->top = v->entry_n > rows ? v->entry_n - rows : 0;
	if (p->cursor < p->top)
		p->top = p->cursor;
	if (p->cursor >= p->top + rows)
		p->top = p->cursor - rows + 1;
}

void e4d_view_arrange(struct e4d_view *v, size_t until)
{
	struct e4d_place *p = &v->place[v->pane];
	bool upward = e4d_panes[v->pane].column[p->sort].upward != p->reverse;
	size_t k;

	gather(v);
	follow(v, upward);
	keep_in_sight(v);
	k = p->top + (v->list_rows > until ? v->list_rows : until);
	if (k > v->entry_n)
		k = v->entry_n;
	select_first(v->entry, v->entry_n, k, upward);
	if (k)
		qsort(v->entry, k, sizeof(*v->entry), upward ? compare_up : compare_down);
	v->sorted = k;
	if (p->cursor < k) {
		p->at = ident_of(v->pane, v->entry[p->cursor].item);
		/* a finding that comes must not take the place of the one that is read */
		p->follow |= v->pane == E4D_PANE_FINDINGS;
	}
}

const void *e4d_view_at_cursor(struct e4d_view *v)
{
	struct e4d_place *p = &v->place[v->pane];

	e4d_view_arrange(v, 0);
	return p->cursor < v->sorted ? v->entry[p->cursor].item : NULL;
}

void e4d_view_move(struct e4d_view *v, long by)
{
	struct e4d_place *p = &v->place[v->pane];
	size_t to;

	e4d_view_arrange(v, 0);
	if (by < 0)
		to = p->cursor > (size_t)-by ? p->cursor - (size_t)-by : 0;
	else
		to = p->cursor + (size_t)by;
	p->cursor = v->entry_n && to >= v->entry_n ? v->entry_n - 1 : to;
	p->follow = false;
	e4d_view_arrange(v, 0);
	/* at the top it stays at the top, whatever is there */
	p->follow = p->cursor > 0;
}

/* Does the line's name or command have the text in it? */
static bool mentions(struct e4d_view *v, const void *item, const char *text)
{
	const struct e4d_pane_def *d = &e4d_panes[v->pane];

	for (unsigned int i = 0; i < d->columns; i++) {
		struct e4d_cell c = {0};

		if (!d->column[i].left)
			continue;
		d->column[i].get(v, item, d->column[i].what, &c);
		if (c.type == E4D_CELL_TEXT && strcasestr(c.str, text))
			return true;
	}
	return false;
}

bool e4d_view_find(struct e4d_view *v, bool from_here)
{
	struct e4d_place *p = &v->place[v->pane];
	size_t n;

	if (v->pane == E4D_PANE_FILES)
		for (uint32_t i = 0, left = NAMES_AT_ONCE; i < v->m->files.n && left; i++)
			if (!v->m->files.row[i].path)
				left -= e4d_model_name_file(v->m, &v->m->files.row[i]);
	e4d_view_arrange(v, SIZE_MAX / 2);
	n = v->entry_n;
	for (size_t i = from_here ? 0 : 1; i < n + !from_here; i++) {
		size_t at = (p->cursor + i) % n;

		if (!mentions(v, v->entry[at].item, v->search))
			continue;
		p->cursor = at;
		p->at = ident_of(v->pane, v->entry[at].item);
		p->follow = true;
		return true;
	}
	return false;
}
