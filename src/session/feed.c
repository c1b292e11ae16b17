/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <string.h>
#include "session/feed.h"

int e4d_feed_open(struct e4d_feed *f, struct e4d_shared *shared, bool all)
{
	int err;

	memset(f, 0, sizeof(*f));
	f->shared = shared;
	f->all = all;
	err = e4d_table_open_files(&f->files, shared);
	if (!err)
		err = e4d_table_open_processes(&f->processes, shared);
	e4d_feed_want(f, 0);
	return err;
}

void e4d_feed_close(struct e4d_feed *f)
{
	e4d_table_close(f->files);
	e4d_table_close(f->processes);
}

static bool processes_wanted(const struct e4d_feed *f)
{
	return f->shared->wanted & E4D_WANT_PROCESSES;
}

/* Those only counted so far; with cfg.all these are in a row as well. */
static struct e4d_unplaced unplaced(const struct e4d_feed *f)
{
	struct e4d_unplaced u = {0};

	for (int cpu = 0; cpu < E4D_ROWS && !f->all; cpu++) {
		const __u64 *v = f->shared->rows[cpu].v;

		u.writes += __atomic_load_n(&v[E4D_C_INSIDE], __ATOMIC_RELAXED);
		u.bytes += __atomic_load_n(&v[E4D_C_INSIDE_BYTES], __ATOMIC_RELAXED);
	}
	return u;
}

/* Of these, while processes were wanted. */
static struct e4d_unplaced unplaced_wanted(const struct e4d_feed *f)
{
	struct e4d_unplaced u = f->sum, now = unplaced(f);

	if (processes_wanted(f)) {
		u.writes += now.writes - f->before.writes;
		u.bytes += now.bytes - f->before.bytes;
	}
	return u;
}

void e4d_feed_want(struct e4d_feed *f, uint32_t what)
{
	f->sum = unplaced_wanted(f);
	f->before = unplaced(f);
	f->shared->sample = what & E4D_WANT_PROCESSES ? 0 : E4D_SAMPLE;
	__atomic_store_n(&f->shared->wanted, what, __ATOMIC_RELEASE);
}

void e4d_feed_settled(struct e4d_feed *f, const struct e4d_record *rec)
{
	e4d_table_settled(f->files, rec);
	if (processes_wanted(f))
		e4d_table_settled(f->processes, rec);
}

int e4d_feed_files(struct e4d_feed *f, uint64_t now, e4d_row_fn *fn, void *ctx)
{
	struct e4d_unplaced u = unplaced(f);

	return e4d_table_read(f->files, now, &u, fn, ctx);
}

int e4d_feed_processes(struct e4d_feed *f, uint64_t now, e4d_row_fn *fn, void *ctx)
{
	struct e4d_unplaced u = unplaced_wanted(f);

	return e4d_table_read(f->processes, now, &u, fn, ctx);
}

void e4d_feed_count(const struct e4d_feed *f, __u64 *v)
{
	uint64_t writes, bytes;

	if (f->all)
		return;
	e4d_table_total(f->files, &writes, &bytes);
	if (writes <= v[E4D_C_DONE]) /* a followed write is counted in one, not yet in the other */
		return;
	v[E4D_C_INSIDE] += writes - v[E4D_C_DONE];
	if (bytes > v[E4D_C_SUBMITTED])
		v[E4D_C_INSIDE_BYTES] += bytes - v[E4D_C_SUBMITTED];
}
