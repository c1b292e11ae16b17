/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The view fed from a trace dump. Sums are made here, as the kernel side makes them,
 * and bounded as there: what has not been written to for long goes to `other`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "trace/reader.h"
#include "view/items.h"
#include "view/replay.h"

#define FILES     8192
#define PROCESSES 4096
#define AHEAD     1024 /* writes read before their end has come: they are in flight */

struct ahead {
	struct e4d_record rec;
	uint64_t end_ns;
	char *path;  /* owned; NULL: not known */
	bool wanted; /* the filter lets it through */
};

struct replay {
	struct e4d_feed feed;
	struct e4d_trace_reader *reader;
	const struct e4d_filter *filter; /* the caller's; NULL: all */
	uint64_t now_ns;
	struct ahead ahead[AHEAD]; /* a ring */
	size_t ahead_at, ahead_n;
	bool all_read;
	struct e4d_items files, procs;
	struct e4d_counters counters;
};

static struct replay *replay_of(struct e4d_feed *f)
{
	return (struct replay *)f;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The half that was written to last stays; the other is summed up. */
static void make_room(struct e4d_items *t)
{
	uint64_t *when = malloc(t->n * sizeof(*when)), middle;

	if (!when) /* then new ones go to `other` */
		return;
	for (uint32_t i = 0; i < t->n; i++)
		when[i] = t->row[i].last.ts_ns;
	qsort(when, t->n, sizeof(*when), by_time);
	middle = when[t->n / 2];
	free(when);
	for (uint32_t i = 0; i < t->n; i++) {
		struct e4d_item *row = &t->row[i];

		row->seen = row->last.ts_ns > middle;
		if (!row->seen)
			e4d_figures_add(&t->other.now, &row->now);
	}
	e4d_items_sweep(t, 1);
}

static void sum_up(struct e4d_items *t, const struct e4d_item_key *key, const struct ahead *a)
{
	struct e4d_item *row;

	if (t->n == t->cap && !e4d_items_find(t, key))
		make_room(t);
	row = e4d_items_get(t, key);
	if (!row)
		row = &t->other;
	e4d_figures_count(&row->now, &a->rec);
	row->last = a->rec;
	row->modes |= a->rec.flags;
	if (a->path && !row->path && !row->other)
		row->path = strdup(a->path);
}

static void count(struct replay *r, const struct ahead *a)
{
	const struct e4d_record *rec = &a->rec;
	struct e4d_item_key file = {.id = rec->ino, .dev = rec->dev, .gen = rec->gen};
	struct e4d_item_key proc = {.id = rec->pid};
	__u64 *v = r->counters.v;

	v[E4D_C_WRITES]++;
	v[E4D_C_DONE]++;
	v[E4D_C_EXTEND] += !!(rec->flags & E4D_F_EXTEND);
	v[E4D_C_SUBMITTED] += rec->submitted;
	v[E4D_C_MAPPED] += rec->mapped;
	if (rec->verdict < E4D_VERDICT_COUNT)
		v[E4D_C_VERDICT0 + rec->verdict]++;
	sum_up(&r->files, &file, a);
	sum_up(&r->procs, &proc, a);
}

static int read_ahead(struct replay *r)
{
	while (r->ahead_n < AHEAD && !r->all_read) {
		struct ahead *a = &r->ahead[(r->ahead_at + r->ahead_n) % AHEAD];
		struct e4d_trace_write w;
		int rc = e4d_trace_next(r->reader, &w);

		if (rc < 0)
			return rc;
		if (!rc) {
			r->all_read = true;
			break;
		}
		a->rec = *w.rec;
		a->end_ns = w.end_ns;
		a->wanted = e4d_filter_match(r->filter, w.rec, w.path);
		a->path = a->wanted && w.path ? strdup(w.path) : NULL;
		r->ahead_n++;
	}
	return 0;
}

static void drop_first(struct replay *r)
{
	free(r->ahead[r->ahead_at].path);
	r->ahead[r->ahead_at].path = NULL;
	r->ahead_at = (r->ahead_at + 1) % AHEAD;
	r->ahead_n--;
}

static int replay_tick(struct e4d_feed *f)
{
	struct replay *r = replay_of(f);
	int err = read_ahead(r);

	while (!err && r->ahead_n && r->ahead[r->ahead_at].end_ns <= r->now_ns) {
		struct ahead *a = &r->ahead[r->ahead_at];
		struct e4d_fed w = {.rec = &a->rec, .path = a->path};

		if (a->wanted) {
			count(r, a);
			err = f->on_write ? f->on_write(f->ctx, &w) : 0;
		}
		drop_first(r);
		if (!err)
			err = read_ahead(r);
	}
	f->ended = r->all_read && !r->ahead_n;
	return err;
}

static void give(const struct e4d_items *t, bool files, e4d_row_fn *fn, void *ctx)
{
	for (uint32_t i = 0; i <= t->n; i++) {
		const struct e4d_item *item = i < t->n ? &t->row[i] : &t->other;
		struct e4d_row row = {
			.other = item->other,
			.ino = files ? item->key.id : 0,
			.dev = item->key.dev,
			.gen = item->key.gen,
			.pid = files ? item->last.pid : (uint32_t)item->key.id,
			.flags = item->modes,
			.sum = item->now,
		};

		memcpy(row.comm, item->last.comm, sizeof(row.comm));
		fn(ctx, &row);
	}
}

static int replay_files(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	give(&replay_of(f)->files, true, fn, ctx);
	return 0;
}

static int replay_processes(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	give(&replay_of(f)->procs, false, fn, ctx);
	return 0;
}

static void replay_flights(struct e4d_feed *f, e4d_flight_fn *fn, void *ctx)
{
	struct replay *r = replay_of(f);

	for (size_t i = 0; i < r->ahead_n; i++) {
		const struct ahead *a = &r->ahead[(r->ahead_at + i) % AHEAD];
		const struct e4d_record *rec = &a->rec;
		struct e4d_flight x = {
			.begin_ns = rec->ts_ns,
			.ino = rec->ino,
			.dev = rec->dev,
			.gen = rec->gen,
			.pid = rec->pid,
			.tid = rec->tid,
			.offset = rec->offset,
			.submitted = rec->submitted,
			.flags = rec->flags,
			.known = E4D_FLIGHT_FILE | E4D_FLIGHT_THREAD | E4D_FLIGHT_OFFSET,
		};

		if (a->wanted && rec->ts_ns <= r->now_ns)
			fn(ctx, &x);
	}
}

static void replay_counters(struct e4d_feed *f, struct e4d_counters *sum)
{
	*sum = replay_of(f)->counters;
}

struct losses {
	void (*fn)(void *ctx, const char *name, uint64_t n);
	void *ctx;
	uint64_t total;
};

static void add_loss(struct losses *l, const char *name, uint64_t n)
{
	if (!n)
		return;
	l->fn(l->ctx, name, n);
	l->total += n;
}

static void on_loss(void *ctx, unsigned int host, const char *name, uint64_t n)
{
	add_loss(ctx, name, n);
}

static uint64_t replay_losses(struct e4d_feed *f,
                              void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx)
{
	struct replay *r = replay_of(f);
	const struct e4d_trace_host *h = e4d_trace_host(r->reader, 0);
	struct losses l = {.fn = fn, .ctx = ctx};

	e4d_trace_losses(r->reader, on_loss, &l);
	add_loss(&l, "bad_packets", h->bad_packets);
	add_loss(&l, "missing_packets", h->missing_packets);
	f->corrupt |= h->bad_packets != 0;
	return l.total;
}

static uint64_t replay_now(const struct e4d_feed *f)
{
	return ((const struct replay *)f)->now_ns;
}

static const char *replay_path(struct e4d_feed *f, const struct e4d_record *rec)
{
	struct e4d_item_key key = {.id = rec->ino, .dev = rec->dev, .gen = rec->gen};
	const struct e4d_item *file = e4d_items_find(&replay_of(f)->files, &key);

	return file ? file->path : NULL;
}

static int replay_watch(struct e4d_feed *f, const struct e4d_record *id, char *why, size_t why_len)
{
	return 0; /* what the dump has, comes anyway */
}

static void replay_advance(struct e4d_feed *f, uint64_t ns)
{
	replay_of(f)->now_ns += ns;
}

static int replay_seek(struct e4d_feed *f, uint64_t ns)
{
	struct replay *r = replay_of(f);

	while (r->ahead_n)
		drop_first(r);
	e4d_items_clear(&r->files);
	e4d_items_clear(&r->procs);
	memset(&r->counters, 0, sizeof(r->counters));
	r->all_read = false;
	f->ended = false;
	r->now_ns = ns > f->first_ns ? ns : f->first_ns;
	return e4d_trace_seek(r->reader, (uint64_t)((int64_t)r->now_ns + f->boot_to_real_ns));
}

static int replay_stop(struct e4d_feed *f)
{
	return 0;
}

static void replay_close(struct e4d_feed *f)
{
	struct replay *r = replay_of(f);

	while (r->ahead_n)
		drop_first(r);
	e4d_trace_close(r->reader);
	e4d_items_free(&r->files);
	e4d_items_free(&r->procs);
	free(r);
}

static const struct e4d_feed_ops ops = {
	.tick = replay_tick,
	.files = replay_files,
	.processes = replay_processes,
	.flights = replay_flights,
	.counters = replay_counters,
	.losses = replay_losses,
	.now = replay_now,
	.path = replay_path,
	.watch = replay_watch,
	.advance = replay_advance,
	.seek = replay_seek,
	.stop = replay_stop,
	.close = replay_close,
};

static void take_head(struct replay *r)
{
	const struct e4d_trace_host *h = e4d_trace_host(r->reader, 0);
	struct e4d_feed *f = &r->feed;
	uint64_t first, last;

	snprintf(f->host, sizeof(f->host), "%s", h->host);
	snprintf(f->kernel, sizeof(f->kernel), "%s", h->kernel);
	f->tier = h->tier;
	f->boot_to_real_ns = h->real_minus_boot_ns;
	e4d_trace_span(r->reader, &first, &last);
	f->first_ns = (uint64_t)((int64_t)first - f->boot_to_real_ns);
	f->last_ns = (uint64_t)((int64_t)last - f->boot_to_real_ns);
	if (f->first_ns) /* the first write is the first thing that happens */
		f->first_ns--;
	r->now_ns = f->first_ns;
}

int e4d_feed_replay(struct e4d_feed **out, const char *dir, const struct e4d_filter *filter,
                    char *why, size_t why_len)
{
	struct replay *r = calloc(1, sizeof(*r));
	int err;

	*out = NULL;
	snprintf(why, why_len, "out of memory");
	if (!r)
		return -ENOMEM;
	r->feed.ops = &ops;
	r->feed.replay = true;
	r->filter = filter;
	err = e4d_items_init(&r->files, FILES);
	if (!err)
		err = e4d_items_init(&r->procs, PROCESSES);
	if (!err)
		err = e4d_trace_open(&r->reader, &dir, 1, why, why_len);
	if (err) {
		replay_close(&r->feed);
		return err;
	}
	take_head(r);
	*out = &r->feed;
	return 0;
}
