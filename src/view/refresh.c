/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The model's totals, read anew from the feed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "view/model.h"

/* One read of a table: what is given, what goes into it. */
struct reading {
	struct e4d_model *m;
	struct e4d_items *t;
	struct e4d_figures all;   /* of everything given */
	struct e4d_figures grown; /* of the rows, since the read before */
};

/* What a row has grown by; a file's sums fall when a part of them went to `other`. */
static void set_item(struct reading *in, struct e4d_item *item, const struct e4d_figures *figures)
{
	struct e4d_figures grown;

	item->before = item->now;
	item->now = *figures;
	item->seen = in->m->refresh;
	grown = e4d_figures_since(&item->now, &item->before);
	e4d_figures_add(&in->grown, &grown);
}

/* A row that is summed here from what its parts have grown by. */
static void grow_fs(struct e4d_model *m, uint32_t dev, const struct e4d_figures *grown)
{
	struct e4d_item_key key = {.id = dev, .dev = dev};
	struct e4d_item *row = e4d_items_get(&m->fs, &key);

	if (!row)
		row = &m->fs.other;
	e4d_figures_add(&row->now, grown);
	row->members++;
	row->seen = m->refresh;
}

/* A writer that is known only by a sample, and another than before. */
static void set_pid(struct e4d_item *item, uint32_t pid)
{
	if (pid)
		e4d_item_wrote(item, pid);
	if (!pid || pid == item->pid || item->recorded)
		return;
	item->pid = pid;
	item->comm[0] = 0;
	item->asked_ns = 0;
}

static struct e4d_item *on_row(struct reading *in, const struct e4d_item_key *key,
                               const struct e4d_row *row)
{
	struct e4d_item *item = row->other ? NULL : e4d_items_get(in->t, key);

	e4d_figures_add(&in->all, &row->sum);
	if (!item)
		return NULL;
	set_item(in, item, &row->sum);
	item->in_flight = 0;
	item->modes |= row->flags;
	return item;
}

static void on_file(void *ctx, const struct e4d_row *row)
{
	struct reading *in = ctx;
	struct e4d_item_key key = {.id = row->ino, .dev = row->dev, .gen = row->gen};
	struct e4d_item *item = on_row(in, &key, row);
	struct e4d_figures grown;

	if (!item)
		return;
	set_pid(item, row->pid);
	grown = e4d_figures_since(&item->now, &item->before);
	grow_fs(in->m, row->dev, &grown);
}

static void on_process(void *ctx, const struct e4d_row *row)
{
	struct e4d_item_key key = {.id = row->pid};
	struct e4d_item *item = on_row(ctx, &key, row);

	if (!item)
		return;
	item->pid = row->pid;
	if (row->comm[0])
		memcpy(item->comm, row->comm, sizeof(item->comm));
}

/* Totals count from `base`; a row that has less than that by now begins anew. */
static void sum_rows(struct e4d_items *t, struct e4d_figures *now, struct e4d_figures *base)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct e4d_item *row = &t->row[i];

		if (row->now.writes < row->base.writes)
			row->base = row->now;
		e4d_figures_add(now, &row->now);
		e4d_figures_add(base, &row->base);
	}
}

/*
 * `other` has what the rows that are left have not, of all that was given: so what was
 * forgotten is in its totals. Grown it has by what the rows have not.
 */
static void set_other(struct reading *in, const struct e4d_all *all)
{
	struct e4d_item *other = &in->t->other;
	struct e4d_figures grown = e4d_figures_since(&in->all, &all->now);
	struct e4d_figures rest = e4d_figures_since(&grown, &in->grown), now = {0}, base = {0};

	sum_rows(in->t, &now, &base);
	other->now = e4d_figures_since(&in->all, &now);
	other->before = e4d_figures_since(&other->now, &rest);
	other->base = e4d_figures_since(&all->base, &base);
	other->seen = in->m->refresh;
	if (in->t == &in->m->files && rest.writes)
		e4d_figures_add(&in->m->fs.other.now, &rest);
}

/* A table was read: rows that it did not give are forgotten. */
static void finish(struct reading *in, struct e4d_all *all)
{
	e4d_items_sweep(in->t, in->m->refresh);
	set_other(in, all);
	all->before = all->now;
	all->now = in->all;
}

static void on_flight(void *ctx, const struct e4d_flight *f)
{
	struct e4d_model *m = ctx;
	struct e4d_item_key file = {.id = f->ino, .dev = f->dev, .gen = f->gen};
	struct e4d_item_key proc = {.id = f->pid}, fs = {.id = f->dev, .dev = f->dev};
	struct e4d_item *item[3] = {NULL};

	if (m->flight_n < E4D_VIEW_FLIGHTS)
		m->flights[m->flight_n++] = *f;
	if (f->known & E4D_FLIGHT_FILE) {
		item[0] = e4d_items_find(&m->files, &file);
		item[1] = e4d_items_find(&m->fs, &fs);
	}
	if (f->known & E4D_FLIGHT_THREAD)
		item[2] = e4d_items_find(&m->procs, &proc);
	for (int i = 0; i < 3; i++)
		if (item[i])
			item[i]->in_flight++;
}

static void on_loss(void *ctx, const char *name, uint64_t n)
{
	struct e4d_model *m = ctx;
	struct e4d_view_loss *l = &m->loss[m->loss_n];

	if (m->loss_n == E4D_VIEW_LOSSES)
		return;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->n = n;
	m->loss_n++;
}

static void begin_fs(struct e4d_model *m)
{
	for (uint32_t i = 0; i < m->fs.n; i++) {
		struct e4d_item *row = &m->fs.row[i];

		row->before = row->now;
		row->members = row->in_flight = 0;
		row->seen = m->refresh;
	}
	m->fs.other.before = m->fs.other.now;
	m->fs.other.members = 0;
}

static void read_rest(struct e4d_model *m)
{
	double rate = (double)e4d_figures_since(&m->all.now, &m->all.before).writes /
	              e4d_model_interval(m);

	if (m->before_ns > m->start_ns) { /* the first refresh comes at once: no time for a rate */
		memmove(m->history, m->history + 1, sizeof(m->history) - sizeof(m->history[0]));
		m->history[E4D_VIEW_HISTORY - 1] = rate;
	}
	m->feed->ops->counters(m->feed, &m->counters);
	m->loss_n = 0;
	m->lost = m->feed->ops->losses(m->feed, on_loss, m);
}

int e4d_model_refresh(struct e4d_model *m)
{
	struct reading files = {.m = m, .t = &m->files}, procs = {.m = m, .t = &m->procs};
	const struct e4d_feed_ops *ops = m->feed->ops;
	int err;

	if (m->paused)
		return 0;
	m->before_ns = m->now_ns;
	m->now_ns = ops->now(m->feed);
	m->refresh++;
	begin_fs(m);
	err = ops->files(m->feed, on_file, &files);
	if (err)
		return err;
	finish(&files, &m->all);
	err = ops->processes(m->feed, on_process, &procs);
	if (!err)
		finish(&procs, &m->procs_all);
	else if (err != -EINVAL) /* that: they are not counted now */
		return err;
	m->procs_ns.before = m->procs_ns.now;
	m->procs_ns.now = e4d_model_counted(m, m->now_ns);
	m->flight_n = 0;
	ops->flights(m->feed, on_flight, m);
	read_rest(m);
	return 0;
}
