/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Cells of writes under way, and of findings. */
#include <stdio.h>
#include <string.h>
#include "record/names.h"
#include "view/cells.h"

/* The file or the process of a write, as far as it has a line of its own. */
static struct e4d_item *file_of(const struct e4d_view *v, const struct e4d_flight *f)
{
	struct e4d_item_key key = {.id = f->ino, .dev = f->dev, .gen = f->gen};

	return f->known & E4D_FLIGHT_FILE ? e4d_items_find(&v->m->files, &key) : NULL;
}

static void flight_file(const struct e4d_view *v, const struct e4d_flight *f, struct e4d_cell *c)
{
	struct e4d_item *i = file_of(v, f);

	if (i && v->drawing)
		e4d_model_name_file(v->m, i);
	if (i && i->path)
		e4d_cell_str(c, i->path);
	else if (f->known & E4D_FLIGHT_FILE)
		e4d_cell_inode(c, f->ino);
}

static void flight_comm(const struct e4d_view *v, const struct e4d_flight *f, struct e4d_cell *c)
{
	const struct e4d_feed_ops *ops = v->m->feed->ops;
	struct e4d_item_key key = {.id = f->pid};
	struct e4d_item *i = f->pid ? e4d_items_find(&v->m->procs, &key) : NULL;

	if (i && i->comm[0]) {
		e4d_cell_str(c, i->comm);
		return;
	}
	c->buf[0] = 0;
	if (f->pid && v->drawing && ops->comm)
		ops->comm(v->m->feed, f->pid, c->buf);
	if (c->buf[0])
		e4d_cell_made(c, f->pid);
}

void e4d_cell_flight(const struct e4d_view *v, const void *p, uint8_t what, struct e4d_cell *c)
{
	const struct e4d_flight *f = p;

	switch (what) {
	case W_AGE:
		e4d_cell_num(c, E4D_FIG_NS,
		             v->m->now_ns > f->begin_ns ? (double)(v->m->now_ns - f->begin_ns) : 0);
		if (c->num >= 1e9) /* a second is long for any disk */
			c->attr = E4D_A_WARN;
		break;
	case W_DEV:
		if (f->known & E4D_FLIGHT_FILE)
			e4d_cell_dev(c, f->dev);
		break;
	case W_INO:
		if (f->known & E4D_FLIGHT_FILE)
			e4d_cell_num(c, E4D_FIG_PLAIN, (double)f->ino);
		break;
	case W_FILE:
		flight_file(v, f, c);
		break;
	case W_PID:
		if (f->pid)
			e4d_cell_num(c, E4D_FIG_PLAIN, f->pid);
		break;
	case W_COMM:
		flight_comm(v, f, c);
		break;
	case W_MODE:
		e4d_cell_modes(c, f->flags);
		break;
	case W_OFFSET:
		if (f->known & E4D_FLIGHT_OFFSET)
			e4d_cell_num(c, E4D_FIG_BYTES, (double)f->offset);
		break;
	case W_LENGTH:
		e4d_cell_num(c, E4D_FIG_BYTES, f->submitted);
		break;
	case W_MAPPED:
		if (f->known & E4D_FLIGHT_MAPPED)
			e4d_cell_num(c, E4D_FIG_BYTES, f->mapped);
		break;
	case W_STATE:
		e4d_cell_str(c, f->waits ? "settling" : "in flight");
		break;
	}
}

static void cell_time(const struct e4d_view *v, uint64_t ts_ns, struct e4d_cell *c)
{
	e4d_time_of_day(v->m->feed->boot_to_real_ns, ts_ns, c->buf, sizeof(c->buf));
	e4d_cell_made(c, (double)ts_ns);
}

static void finding_ret(const struct e4d_record *r, struct e4d_cell *c)
{
	const char *name = r->ret < 0 ? strerrorname_np(-r->ret) : NULL;

	if (!(r->seen & E4D_SEEN_RET))
		return;
	if (name)
		e4d_cell_str(c, name);
	else
		e4d_cell_num(c, E4D_FIG_BYTES, r->ret);
}

void e4d_cell_finding(const struct e4d_view *v, const void *p, uint8_t what, struct e4d_cell *c)
{
	const struct e4d_finding *f = p;
	const struct e4d_record *r = &f->last;

	switch (what) {
	case W_NEW:
		e4d_cell_str(c, f->unseen ? "!" : " ");
		c->attr = f->unseen ? E4D_A_ALERT : E4D_A_NORMAL;
		break;
	case W_TIME:
		cell_time(v, r->ts_ns, c);
		break;
	case W_COUNT:
		e4d_cell_num(c, E4D_FIG_COUNT, (double)f->count);
		break;
	case W_VERDICT:
		e4d_cell_verdict(c, r->verdict, true);
		c->attr = f->unseen ? E4D_A_ALERT : E4D_A_NORMAL;
		break;
	case W_PAST_EOF:
		e4d_cell_num(c, E4D_FIG_BYTES, (double)f->past_eof);
		break;
	case W_DEV:
		e4d_cell_dev(c, r->dev);
		break;
	case W_INO:
		e4d_cell_num(c, E4D_FIG_PLAIN, (double)r->ino);
		break;
	case W_FILE:
		if (f->path)
			e4d_cell_str(c, f->path);
		else
			e4d_cell_inode(c, r->ino);
		break;
	case W_PID:
		e4d_cell_num(c, E4D_FIG_PLAIN, r->pid);
		break;
	case W_COMM:
		e4d_cell_str(c, r->comm);
		break;
	case W_OFFSET:
		e4d_cell_num(c, E4D_FIG_BYTES, (double)r->offset);
		break;
	case W_LENGTH:
		e4d_cell_num(c, E4D_FIG_BYTES, r->submitted);
		break;
	case W_RET:
		finding_ret(r, c);
		break;
	case W_EVIDENCE:
		e4d_cell_str(c, e4d_evidence_name(r->evidence));
		break;
	}
}
