/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "session/session.h"
#include "util/loss.h"
#include "validate/tracer.h"

#define TICK_US    2000
#define WAIT_TICKS 1500 /* 3 s: a worker's write is settled after one */

/* io_uring tries with NOWAIT first, and the try ends with -EAGAIN. */
static bool first_try(const struct e4d_vresult *r, const struct e4d_record *rec)
{
	return (r->c->w.flags & WL_WORKER) && (rec->flags & E4D_F_NOWAIT) && !rec->past_eof &&
	       (!(rec->seen & E4D_SEEN_RET) || rec->ret < 0) && r->res.ret != rec->ret;
}

static int on_record(void *ctx, struct e4d_record *rec)
{
	struct e4d_vtracer *t = ctx;

	for (size_t i = 0; i < t->count; i++) {
		struct e4d_vresult *r = &t->results[i];

		if (!r->ino || r->ino != rec->ino || first_try(r, rec))
			continue;
		r->records++;
		if (!r->traced || rec->seq >= r->rec.seq)
			r->rec = *rec;
		r->traced = true;
		break;
	}
	return 0;
}

int e4d_vtracer_open(struct e4d_vtracer *t, dev_t dev, enum e4d_tier tier,
                     struct e4d_vresult *results, size_t count)
{
	struct e4d_session_opts so = {.on_record = on_record, .ctx = t, .prompt = true};
	int err;

	t->results = results;
	t->count = count;
	if (t->session && t->dev == dev)
		return 0;
	e4d_vtracer_close(t);
	t->dev = dev;
	so.tier = tier ? tier : t->tier;
	so.cfg.all = 1;
	so.cfg.dev = major(dev) << 20 | minor(dev);
	err = e4d_session_open(&so, &t->session, t->why, sizeof(t->why));
	if (!err)
		t->tier = e4d_session_tier(t->session);
	return err;
}

void e4d_vtracer_tick(struct e4d_vtracer *t)
{
	usleep(TICK_US);
	if (t->session)
		e4d_session_tick(t->session);
}

/* A write that was turned away for want of something need not have come to ext4. */
static bool is_judged(const struct e4d_vresult *r)
{
	return r->res.done && !r->not_run;
}

static bool all_seen(const struct e4d_vtracer *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (is_judged(&t->results[i]) &&
		    t->results[i].records < e4d_vcheck_due(&t->results[i], t->tier))
			return false;
	return true;
}

static void name_loss(void *ctx, const char *name, uint64_t n)
{
	struct e4d_vtracer *t = ctx;

	e4d_loss_append(t->losses, sizeof(t->losses), name, n);
}

void e4d_vtracer_settle(struct e4d_vtracer *t, bool last)
{
	if (!t->session)
		return;
	for (int i = 0; i < WAIT_TICKS && !all_seen(t); i++)
		e4d_vtracer_tick(t);
	if (last || !all_seen(t))
		e4d_vtracer_close(t);
	for (size_t i = 0; i < t->count; i++)
		if (is_judged(&t->results[i]))
			e4d_vcheck_tool(&t->results[i], t->tier);
}

void e4d_vtracer_close(struct e4d_vtracer *t)
{
	if (!t->session)
		return;
	e4d_session_stop(t->session);
	t->lost += e4d_session_losses(t->session, name_loss, t);
	e4d_session_close(t->session);
	t->session = NULL;
}
