/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The view fed from a session; a second one is there while one file is looked at. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "path/path.h"
#include "session/session.h"
#include "session/thread.h"
#include "util/clock.h"
#include "view/live.h"

struct live {
	struct e4d_feed feed;
	struct e4d_session *watch; /* all writes of one inode; NULL: none is looked at */
	struct e4d_paths *paths;
};

static struct live *live_of(struct e4d_feed *f)
{
	return (struct live *)f;
}

static int deliver(struct live *l, const struct e4d_record *rec, bool watched)
{
	struct e4d_fed w = {.rec = rec, .watched = watched};

	return l->feed.on_write ? l->feed.on_write(l->feed.ctx, &w) : 0;
}

static int on_record(void *ctx, struct e4d_record *rec)
{
	return deliver(ctx, rec, false);
}

static int on_watched(void *ctx, struct e4d_record *rec)
{
	return deliver(ctx, rec, true);
}

static int live_tick(struct e4d_feed *f)
{
	struct live *l = live_of(f);

	return l->watch ? e4d_session_tick(l->watch) : 0;
}

static int live_files(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	return e4d_session_files(f->session, fn, ctx);
}

static int live_processes(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	return e4d_session_processes(f->session, fn, ctx);
}

static void live_flights(struct e4d_feed *f, e4d_flight_fn *fn, void *ctx)
{
	e4d_session_flights(f->session, fn, ctx);
}

static void live_counters(struct e4d_feed *f, struct e4d_counters *sum)
{
	e4d_session_counters(f->session, sum);
}

static uint64_t live_losses(struct e4d_feed *f, void (*fn)(void *ctx, const char *name, uint64_t n),
                            void *ctx)
{
	return e4d_session_losses(f->session, fn, ctx);
}

static uint64_t live_now(const struct e4d_feed *f)
{
	return e4d_boot_ns();
}

static const char *live_path(struct e4d_feed *f, const struct e4d_record *rec)
{
	return e4d_path_resolve(live_of(f)->paths, rec);
}

static void live_comm(struct e4d_feed *f, uint32_t pid, char comm[E4D_COMM_LEN])
{
	e4d_thread_comm(pid, pid, comm);
}

static int live_want(struct e4d_feed *f, uint32_t what)
{
	return e4d_session_want(f->session, what);
}

/* What attaching wants, and what came of it. */
struct watching {
	struct live *l;
	const struct e4d_session_opts *so; /* NULL: none from now on */
	char *why;
	size_t why_len;
	int err;
	_Atomic bool done;
};

static void *watch_anew(void *arg)
{
	struct watching *w = arg;

	e4d_session_close(w->l->watch);
	w->l->watch = NULL;
	if (w->so)
		w->err = e4d_session_open(w->so, &w->l->watch, w->why, w->why_len);
	w->done = true;
	return NULL;
}

/* It takes half a second to attach or to detach: the main session is read meanwhile. */
static int live_watch(struct e4d_feed *f, const struct e4d_record *id, char *why, size_t why_len)
{
	struct live *l = live_of(f);
	struct e4d_session_opts so = {.on_record = on_watched, .ctx = l, .tier = f->tier};
	struct watching w = {.l = l, .so = id ? &so : NULL, .why = why, .why_len = why_len};
	pthread_t beside;

	if (!id && !l->watch)
		return 0;
	if (id) {
		so.cfg.dev = id->dev;
		so.cfg.ino = id->ino;
		so.cfg.all = 1;
	}
	if (pthread_create(&beside, NULL, watch_anew, &w)) {
		watch_anew(&w);
		return w.err;
	}
	while (!w.done && !e4d_session_tick(f->session)) /* the loop sees its error too */
		usleep(5000);
	pthread_join(beside, NULL);
	return w.err;
}

static uint64_t live_watch_losses(struct e4d_feed *f,
                                  void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx)
{
	struct live *l = live_of(f);

	return l->watch ? e4d_session_losses(l->watch, fn, ctx) : 0;
}

static int live_stop(struct e4d_feed *f)
{
	return e4d_session_stop(f->session);
}

static void live_close(struct e4d_feed *f)
{
	struct live *l = live_of(f);

	e4d_session_close(l->watch);
	e4d_session_close(f->session);
	e4d_paths_close(l->paths);
	free(l);
}

static const struct e4d_feed_ops ops = {
	.tick = live_tick,
	.files = live_files,
	.processes = live_processes,
	.flights = live_flights,
	.counters = live_counters,
	.losses = live_losses,
	.now = live_now,
	.path = live_path,
	.comm = live_comm,
	.want = live_want,
	.watch = live_watch,
	.watch_losses = live_watch_losses,
	.stop = live_stop,
	.close = live_close,
};

int e4d_feed_live(struct e4d_feed **out, const struct e4d_live_opts *o, char *why, size_t why_len)
{
	struct e4d_session_opts so = {
		.on_record = on_record, .tier = o->tier, .limits = o->limits, .cfg.files = 1};
	struct live *l = calloc(1, sizeof(*l));
	struct e4d_clock clock = {0};
	struct utsname u;
	int err;

	*out = NULL;
	snprintf(why, why_len, "out of memory");
	if (!l)
		return -ENOMEM;
	l->feed.ops = &ops;
	so.ctx = l;
	if (o->filter)
		e4d_filter_pushdown(o->filter, &so.cfg);
	err = e4d_paths_open(&l->paths);
	if (!err)
		err = e4d_session_open(&so, &l->feed.session, why, why_len);
	if (err) {
		live_close(&l->feed);
		return err;
	}
	e4d_clock_measure(&clock);
	l->feed.boot_to_real_ns = clock.boot_to_real_ns;
	l->feed.tier = e4d_session_tier(l->feed.session);
	if (!uname(&u)) {
		snprintf(l->feed.host, sizeof(l->feed.host), "%.63s", u.nodename);
		snprintf(l->feed.kernel, sizeof(l->feed.kernel), "%.63s", u.release);
	}
	*out = &l->feed;
	return 0;
}
