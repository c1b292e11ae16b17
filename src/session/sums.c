/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "session/sums.h"
#include "session/thread.h"

#define EXTRA    1024         /* rows of `extra` */
#define LEAVE_NS 100000000ULL /* a program that has found a place is done by then */

/* What the last reads found in a place. */
struct watch {
	uint64_t writes;
	uint64_t left_ns; /* CLOCK_BOOTTIME of the first read that found it leaving */
	uint32_t idle;    /* reads since a change */
	bool named;       /* /proc was asked for the process's name */
};

struct e4d_table {
	__u64 *keys;
	struct e4d_sums *sums; /* of each place */
	struct e4d_sums *other;
	uint32_t places;
	bool processes;
	struct e4d_row *extra; /* settled by user space */
	size_t extra_n;
	struct e4d_row gone;                /* of places freed, and what found no room in extra */
	uint64_t freed_writes, freed_bytes; /* of the programs' in `gone` */
	struct watch *watch;                /* of each place */
};

/* A row, or a part of it: a place of the table, or `places` + that in `extra`. */
struct part {
	uint64_t who;
	uint32_t dev, gen;
	uint32_t at;
};

static int open_table(struct e4d_table **out, const struct e4d_table *table)
{
	struct e4d_table *t = malloc(sizeof(*t));

	*out = NULL;
	if (!t)
		return -ENOMEM;
	*t = *table;
	t->extra = calloc(EXTRA, sizeof(*t->extra));
	t->watch = calloc(t->places, sizeof(*t->watch));
	if (!t->extra || !t->watch) {
		e4d_table_close(t);
		return -ENOMEM;
	}
	*out = t;
	return 0;
}

int e4d_table_open_files(struct e4d_table **out, struct e4d_shared *shared)
{
	struct e4d_table t = {.keys = shared->file_key,
	                      .sums = shared->file,
	                      .other = shared->file_other,
	                      .places = E4D_FILES};

	return open_table(out, &t);
}

int e4d_table_open_processes(struct e4d_table **out, struct e4d_shared *shared)
{
	struct e4d_table t = {.keys = shared->process_key,
	                      .sums = shared->process,
	                      .other = shared->process_other,
	                      .places = E4D_PROCESSES,
	                      .processes = true};

	return open_table(out, &t);
}

void e4d_table_close(struct e4d_table *t)
{
	if (!t)
		return;
	free(t->extra);
	free(t->watch);
	free(t);
}

/* The programs change what is read here. */
#define NOW(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)

static uint64_t writes_of(const struct e4d_sums *s)
{
	uint64_t n = 0;

	for (int i = 0; i < E4D_LATENCIES; i++)
		n += NOW(s->latency[i]);
	return n;
}

static void add_sums(struct e4d_figures *to, const struct e4d_sums *s)
{
	for (int i = 0; i < E4D_LATENCIES; i++) {
		uint32_t n = NOW(s->latency[i]);

		to->latency[i] += n;
		to->writes += n;
	}
	to->submitted += NOW(s->submitted);
	to->unmapped += NOW(s->unmapped);
	to->over += NOW(s->over);
	to->extending += NOW(s->extending);
	to->shorts += NOW(s->shorts);
	to->errors += NOW(s->errors);
	to->findings += NOW(s->findings);
}

static void add_row(struct e4d_row *to, const struct e4d_row *from)
{
	e4d_figures_add(&to->sum, &from->sum);
	to->flags |= from->flags;
	if (from->pid)
		to->pid = from->pid;
	if (from->comm[0])
		memcpy(to->comm, from->comm, sizeof(to->comm));
}

/* What a place tells besides its sums. */
static void add_about(const struct e4d_table *t, struct e4d_row *to, const struct e4d_sums *s)
{
	if (t->processes) {
		if (s->comm[0])
			memcpy(to->comm, s->comm, sizeof(to->comm) - 1);
		return;
	}
	to->flags |= NOW(s->flags);
	if (NOW(s->last_pid))
		to->pid = NOW(s->last_pid);
}

static struct e4d_row row_of(const struct e4d_table *t, const struct part *p)
{
	if (t->processes)
		return (struct e4d_row){.pid = (uint32_t)p->who};
	return (struct e4d_row){.ino = p->who, .dev = p->dev, .gen = p->gen};
}

static struct e4d_row *extra_room(struct e4d_table *t, const struct e4d_record *rec)
{
	struct e4d_row *x;

	for (size_t i = 0; i < t->extra_n; i++) {
		x = &t->extra[i];
		if (t->processes ? x->pid == rec->pid
		                 : x->ino == rec->ino && x->dev == rec->dev && x->gen == rec->gen)
			return x;
	}
	if (t->extra_n == EXTRA)
		return &t->gone;
	x = &t->extra[t->extra_n++];
	memset(x, 0, sizeof(*x));
	if (t->processes)
		return x;
	x->ino = rec->ino;
	x->dev = rec->dev;
	x->gen = rec->gen;
	return x;
}

void e4d_table_settled(struct e4d_table *t, const struct e4d_record *rec)
{
	struct e4d_row *x = extra_room(t, rec);

	e4d_figures_count(&x->sum, rec);
	x->pid = rec->pid;
	if (t->processes)
		memcpy(x->comm, rec->comm, sizeof(x->comm) - 1);
	else
		x->flags |= rec->flags;
}

static int by_who(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->who != y->who)
		return x->who < y->who ? -1 : 1;
	return x->gen < y->gen ? -1 : x->gen > y->gen;
}

/* All there are, sorted; a place whose owner is not yet written down waits. */
static size_t gather(const struct e4d_table *t, struct part *parts)
{
	size_t n = 0;

	for (uint32_t i = 0; i < t->places; i++) {
		const struct e4d_sums *s = &t->sums[i];
		struct part p = {.at = i};

		if (!NOW(t->keys[i]))
			continue;
		p.who = NOW(s->who);
		if (!p.who)
			continue;
		if (!t->processes) {
			p.dev = NOW(s->dev);
			p.gen = NOW(s->gen);
		}
		parts[n++] = p;
	}
	for (uint32_t i = 0; i < t->extra_n; i++) {
		const struct e4d_row *x = &t->extra[i];

		parts[n++] = (struct part){.who = t->processes ? x->pid : x->ino,
		                           .dev = x->dev,
		                           .gen = x->gen,
		                           .at = t->places + i};
	}
	qsort(parts, n, sizeof(*parts), by_who);
	return n;
}

/*
 * The process's own name, not that of the thread which claimed the place: asked once,
 * and kept there.
 */
static void name_process(struct e4d_table *t, uint32_t at)
{
	struct e4d_sums *s = &t->sums[at];
	char comm[E4D_COMM_LEN] = "";

	if (t->watch[at].named)
		return;
	t->watch[at].named = true;
	e4d_thread_comm((uint32_t)s->who, (uint32_t)s->who, comm);
	if (comm[0])
		memcpy(s->comm, comm, sizeof(comm));
}

static void add_part(struct e4d_table *t, struct e4d_row *row, uint32_t at)
{
	if (at >= t->places) {
		add_row(row, &t->extra[at - t->places]);
		return;
	}
	if (t->processes)
		name_process(t, at);
	add_sums(&row->sum, &t->sums[at]);
	add_about(t, row, &t->sums[at]);
}

static void give_all(struct e4d_table *t, const struct part *parts, size_t n, e4d_row_fn *fn,
                     void *ctx)
{
	for (size_t i = 0; i < n;) {
		const struct part *p = &parts[i];
		struct e4d_row row = row_of(t, p);

		for (; i < n && !by_who(p, &parts[i]); i++)
			add_part(t, &row, parts[i].at);
		fn(ctx, &row);
	}
}

static void give_other(struct e4d_table *t, const struct e4d_unplaced *unplaced, e4d_row_fn *fn,
                       void *ctx)
{
	struct e4d_row row = t->gone;

	for (int i = 0; i < E4D_ROWS; i++)
		add_sums(&row.sum, &t->other[i]);
	if (unplaced) {
		row.sum.writes += unplaced->writes;
		row.sum.submitted += unplaced->bytes;
	}
	/* a begin is taken back, its write is in no row yet: see none_below_zero() of read.c */
	if ((int64_t)row.sum.writes < 0)
		row.sum.writes = 0;
	if ((int64_t)row.sum.submitted < 0)
		row.sum.submitted = 0;
	row.other = true;
	row.pid = 0;
	row.comm[0] = 0;
	fn(ctx, &row);
}

/* The place is nobody's now: no program finds it, none is in it. */
static void free_place(struct e4d_table *t, uint32_t at)
{
	struct e4d_sums *s = &t->sums[at];

	add_sums(&t->gone.sum, s);
	t->freed_writes += writes_of(s);
	t->freed_bytes += s->submitted;
	memset(s, 0, sizeof(*s));
	memset(&t->watch[at], 0, sizeof(t->watch[at]));
	__atomic_store_n(&t->keys[at], 0, __ATOMIC_RELEASE);
}

static void forget_places(struct e4d_table *t, uint64_t now)
{
	uint32_t used = 0, full = t->places - t->places / 4;

	for (uint32_t i = 0; i < t->places; i++)
		used += NOW(t->keys[i]) != 0;
	for (uint32_t i = 0; i < t->places; i++) {
		struct watch *w = &t->watch[i];
		__u64 key = NOW(t->keys[i]);
		uint64_t writes;

		if (!key)
			continue;
		if (key & E4D_LEAVING) {
			if (!w->left_ns)
				w->left_ns = now;
			else if (now > w->left_ns + LEAVE_NS)
				free_place(t, i);
			continue;
		}
		writes = writes_of(&t->sums[i]);
		w->idle = writes == w->writes ? w->idle + 1 : 0;
		w->writes = writes;
		if (used > full && w->idle >= E4D_IDLE_READS)
			__atomic_compare_exchange_n(&t->keys[i], &key, key | E4D_LEAVING, false,
			                            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

/* The oldest quarter, when the room for them is nearly used up. */
static void forget_extra(struct e4d_table *t)
{
	const size_t n = EXTRA / 4;

	if (t->extra_n <= EXTRA - n)
		return;
	for (size_t i = 0; i < n; i++)
		add_row(&t->gone, &t->extra[i]);
	t->extra_n -= n;
	memmove(t->extra, t->extra + n, t->extra_n * sizeof(*t->extra));
}

int e4d_table_read(struct e4d_table *t, uint64_t now, const struct e4d_unplaced *unplaced,
                   e4d_row_fn *fn, void *ctx)
{
	struct part *parts = malloc((t->places + EXTRA) * sizeof(*parts));

	if (!parts)
		return -ENOMEM;
	give_all(t, parts, gather(t, parts), fn, ctx);
	give_other(t, unplaced, fn, ctx);
	free(parts);
	forget_places(t, now);
	forget_extra(t);
	return 0;
}

void e4d_table_total(const struct e4d_table *t, uint64_t *writes, uint64_t *bytes)
{
	*writes = t->freed_writes;
	*bytes = t->freed_bytes;
	for (uint32_t i = 0; i < t->places; i++)
		if (NOW(t->keys[i])) {
			*writes += writes_of(&t->sums[i]);
			*bytes += NOW(t->sums[i].submitted);
		}
	for (int i = 0; i < E4D_ROWS; i++) {
		*writes += writes_of(&t->other[i]);
		*bytes += NOW(t->other[i].submitted);
	}
}

const struct e4d_sums *e4d_table_find(const struct e4d_table *t, uint64_t key)
{
	uint32_t line = e4d_line(key, t->places);

	for (uint32_t i = 0; i < 2 * E4D_WAYS; i++) {
		uint32_t at = (line ^ i / E4D_WAYS) * E4D_WAYS + i % E4D_WAYS;

		if (NOW(t->keys[at]) == key)
			return &t->sums[at];
	}
	return NULL;
}
