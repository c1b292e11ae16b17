/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdio.h>
#include <string.h>
#include "record/fields.h"
#include "record/names.h"
#include "verdict.h"
#include "view/cells.h"

#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))

void e4d_cell_num(struct e4d_cell *c, enum e4d_figure_kind kind, double v)
{
	c->type = E4D_CELL_NUMBER;
	c->kind = kind;
	c->num = v;
}

void e4d_cell_str(struct e4d_cell *c, const char *s)
{
	c->type = E4D_CELL_TEXT;
	c->str = s;
}

/* Text made up in buf, which says less about the order than `order` does. */
void e4d_cell_made(struct e4d_cell *c, double order)
{
	c->type = E4D_CELL_TEXT;
	c->str = c->buf;
	c->num = order;
}

void e4d_cell_dev(struct e4d_cell *c, uint32_t dev)
{
	snprintf(c->buf, sizeof(c->buf), "%u:%u", e4d_dev_major(dev), e4d_dev_minor(dev));
	e4d_cell_made(c, dev);
}

/* sync or async; and d(sync), n(owait), a(ppend), u(naligned), x: dax. */
void e4d_cell_modes(struct e4d_cell *c, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		char letter;
	} table[] = {
		{E4D_F_SYNC, 's'},      {E4D_F_ASYNC, 'q'},  {E4D_F_DSYNC, 'd'},
		{E4D_F_NOWAIT, 'n'},    {E4D_F_APPEND, 'a'}, {E4D_F_ATOMIC, 't'},
		{E4D_F_UNALIGNED, 'u'}, {E4D_F_DAX, 'x'},
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY(table); i++)
		if (flags & table[i].flag)
			c->buf[n++] = table[i].letter;
	c->buf[n] = 0;
	if (n)
		e4d_cell_made(c, flags);
}

void e4d_cell_verdict(struct e4d_cell *c, uint8_t verdict, bool finding)
{
	snprintf(c->buf, sizeof(c->buf), "%s%s", finding ? "!" : "", e4d_verdict_name(verdict));
	e4d_cell_made(c, e4d_verdict_weight(verdict));
	if (finding)
		c->attr = E4D_A_ALERT;
	else if (verdict == E4D_UNKNOWN || verdict == E4D_EXPOSED)
		c->attr = E4D_A_WARN;
}

void e4d_cell_inode(struct e4d_cell *c, uint64_t ino)
{
	snprintf(c->buf, sizeof(c->buf), "ino %llu", (unsigned long long)ino);
	e4d_cell_made(c, (double)ino);
	c->stand_in = true;
}

static bool is_finding(const struct e4d_view *v, uint8_t verdict)
{
	return verdict == E4D_LEAK || verdict == E4D_TRIM_FAILED ||
	       (v->m->strict && verdict == E4D_EXPOSED);
}

struct e4d_figures e4d_item_figures(const struct e4d_view *v, const struct e4d_item *item,
                                    bool process, double *per)
{
	const struct e4d_elapsed all = {v->m->now_ns, v->m->before_ns, v->m->zero_ns};
	const struct e4d_elapsed *t = process ? &v->m->procs_ns : &all;
	uint64_t ns = t->now - (v->mode == E4D_MODE_RATE ? t->before : t->base);

	if (v->mode == E4D_MODE_TOTAL)
		*per = 1;
	else if (process && !ns)
		*per = 0;
	else
		*per = ns > 1000000 ? (double)ns / 1e9 : 0.001;
	return e4d_figures_since(&item->now,
	                         v->mode == E4D_MODE_RATE ? &item->before : &item->base);
}

static void set_share(struct e4d_cell *c, uint64_t part, uint64_t of)
{
	if (of)
		e4d_cell_num(c, E4D_FIG_PERCENT, 100.0 * (double)part / (double)of);
}

static void set_latency(struct e4d_cell *c, const struct e4d_figures *f, unsigned int per_mille)
{
	double ns = e4d_figures_latency(f, per_mille);

	if (ns > 0)
		e4d_cell_num(c, E4D_FIG_NS, ns);
}

void e4d_cell_figure(const struct e4d_view *v, const void *p, uint8_t what, struct e4d_cell *c)
{
	double per;
	struct e4d_figures f = e4d_item_figures(v, p, v->pane == E4D_PANE_PROCS, &per);
	double mapped = (double)f.submitted - (double)f.unmapped;

	if (per <= 0)
		return;
	switch (what) {
	case W_WRITES:
		e4d_cell_num(c, E4D_FIG_COUNT, (double)f.writes / per);
		break;
	case W_SUBMITTED:
		e4d_cell_num(c, E4D_FIG_BYTES, (double)f.submitted / per);
		break;
	case W_MAPPED:
		e4d_cell_num(c, E4D_FIG_BYTES, mapped > 0 ? mapped / per : 0);
		break;
	case W_OVER:
		e4d_cell_num(c, E4D_FIG_BYTES, (double)f.over / per);
		break;
	case W_EXTENDING:
		set_share(c, f.extending, f.writes);
		break;
	case W_SHORT:
		e4d_cell_num(c, E4D_FIG_COUNT, (double)f.shorts / per);
		break;
	case W_ERRORS:
		e4d_cell_num(c, E4D_FIG_COUNT, (double)f.errors / per);
		if (f.errors)
			c->attr = E4D_A_WARN;
		break;
	case W_P50:
		set_latency(c, &f, 500);
		break;
	case W_P99:
		set_latency(c, &f, 990);
		break;
	}
}

void e4d_cell_file(const struct e4d_view *v, const void *p, uint8_t what, struct e4d_cell *c)
{
	const struct e4d_item *i = p;

	switch (what) {
	case W_DEV:
		if (!i->other)
			e4d_cell_dev(c, i->key.dev);
		break;
	case W_INO:
		if (!i->other)
			e4d_cell_num(c, E4D_FIG_PLAIN, (double)i->key.id);
		break;
	case W_FILE:
		if (i->path || i->other)
			e4d_cell_str(c, i->path ? i->path : "(other files)");
		else
			e4d_cell_inode(c, i->key.id);
		break;
	case W_PID:
		if (i->pid)
			e4d_cell_num(c, E4D_FIG_PLAIN, i->pid);
		break;
	case W_COMM:
		if (i->comm[0])
			e4d_cell_str(c, i->comm);
		break;
	case W_MODE:
		e4d_cell_modes(c, i->modes);
		break;
	case W_INFLIGHT:
		e4d_cell_num(c, E4D_FIG_COUNT, i->in_flight);
		break;
	case W_PAST_EOF:
		e4d_cell_num(c, E4D_FIG_BYTES, (double)i->past_eof);
		if (i->past_eof)
			c->attr = E4D_A_ALERT;
		break;
	case W_VERDICT:
		/* what left no record lies inside EOF, or its record is still to come */
		if (!i->recorded && i->now.extending)
			break;
		e4d_cell_verdict(c, i->recorded ? i->worst : E4D_CLEAN,
		                 i->recorded && is_finding(v, i->worst));
		break;
	}
}

void e4d_cell_proc(const struct e4d_view *v, const void *p, uint8_t what, struct e4d_cell *c)
{
	const struct e4d_item *i = p;

	switch (what) {
	case W_PID:
		if (!i->other)
			e4d_cell_num(c, E4D_FIG_PLAIN, (double)i->key.id);
		break;
	case W_COMM:
		if (i->comm[0] || i->other)
			e4d_cell_str(c, i->other ? "(other)" : i->comm);
		break;
	case W_FILE:
		if (i->path)
			e4d_cell_str(c, i->path);
		break;
	default:
		e4d_cell_file(v, p, what, c);
	}
}

void e4d_cell_fs(const struct e4d_view *v, const void *p, uint8_t what, struct e4d_cell *c)
{
	const struct e4d_item *i = p;

	switch (what) {
	case W_FILE:
		if (i->path || i->other)
			e4d_cell_str(c, i->path ? i->path : "(other)");
		break;
	case W_MEMBERS:
		e4d_cell_num(c, E4D_FIG_COUNT, i->members);
		break;
	case W_FINDINGS:
		e4d_cell_num(c, E4D_FIG_COUNT, (double)i->now.findings);
		if (i->now.findings)
			c->attr = E4D_A_ALERT;
		break;
	default:
		e4d_cell_file(v, p, what, c);
	}
}
