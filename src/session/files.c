/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "session/files.h"

#define EXTRA    1024         /* files of `extra` */
#define LEAVE_NS 100000000ULL /* a program that has found a place is done by then */
#define FULL     (E4D_FILES - E4D_FILES / 4)

/* A file's row, or a part of it: a place of the table, or E4D_FILES + that in `extra`. */
struct part {
	uint64_t ino;
	uint32_t dev, gen;
	uint32_t at;
};

int e4d_files_open(struct e4d_files **out, struct e4d_shared *shared, bool all)
{
	struct e4d_files *f = calloc(1, sizeof(*f));

	*out = NULL;
	if (!f)
		return -ENOMEM;
	f->shared = shared;
	f->all = all;
	f->extra = calloc(EXTRA, sizeof(*f->extra));
	if (!f->extra) {
		free(f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

void e4d_files_close(struct e4d_files *f)
{
	if (!f)
		return;
	free(f->extra);
	free(f);
}

/* The programs change what is read here. */
#define NOW(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)

static uint64_t writes_of(const struct e4d_file *row)
{
	uint64_t n = 0;

	for (int i = 0; i < E4D_LATENCIES; i++)
		n += NOW(row->latency[i]);
	return n;
}

static void add_row(struct e4d_file_sums *to, const struct e4d_file *row)
{
	for (int i = 0; i < E4D_LATENCIES; i++) {
		uint32_t n = NOW(row->latency[i]);

		to->latency[i] += n;
		to->writes += n;
	}
	to->submitted += NOW(row->submitted);
	to->unmapped += NOW(row->unmapped);
	to->extending += NOW(row->extending);
	to->shorts += NOW(row->shorts);
	to->errors += NOW(row->errors);
	to->findings += NOW(row->findings);
	if (NOW(row->last_pid))
		to->last_pid = NOW(row->last_pid);
}

static void add_sums(struct e4d_file_sums *to, const struct e4d_file_sums *from)
{
	for (int i = 0; i < E4D_LATENCIES; i++)
		to->latency[i] += from->latency[i];
	to->writes += from->writes;
	to->submitted += from->submitted;
	to->unmapped += from->unmapped;
	to->extending += from->extending;
	to->shorts += from->shorts;
	to->errors += from->errors;
	to->findings += from->findings;
	if (from->last_pid)
		to->last_pid = from->last_pid;
}

static struct e4d_file_sums *extra_room(struct e4d_files *f, const struct e4d_record *rec)
{
	struct e4d_file_sums *x;

	for (size_t i = 0; i < f->extra_n; i++) {
		x = &f->extra[i];
		if (x->ino == rec->ino && x->dev == rec->dev && x->gen == rec->gen)
			return x;
	}
	if (f->extra_n == EXTRA)
		return &f->gone;
	x = &f->extra[f->extra_n++];
	memset(x, 0, sizeof(*x));
	x->ino = rec->ino;
	x->dev = rec->dev;
	x->gen = rec->gen;
	return x;
}

void e4d_files_settled(struct e4d_files *f, const struct e4d_record *rec)
{
	struct e4d_file_sums *x = extra_room(f, rec);

	x->writes++;
	x->submitted += rec->submitted;
	x->unmapped += (int64_t)rec->submitted - rec->mapped;
	x->latency[e4d_latency_of(rec)]++;
	x->extending += !!(rec->flags & E4D_F_EXTEND);
	x->errors += e4d_is_error(rec);
	x->shorts += e4d_is_short(rec);
	x->findings += e4d_is_finding(rec, 0);
	x->last_pid = rec->pid;
}

static int by_file(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->gen < y->gen ? -1 : x->gen > y->gen;
}

/* All there are, sorted; a place whose inode is not yet written down waits. */
static size_t gather(const struct e4d_files *f, struct part *parts)
{
	const struct e4d_shared *sh = f->shared;
	size_t n = 0;

	for (uint32_t i = 0; i < E4D_FILES; i++) {
		const struct e4d_file *row = &sh->file[i];

		if (NOW(sh->file_key[i]) && NOW(row->ino))
			parts[n++] = (struct part){NOW(row->ino), NOW(row->dev), NOW(row->gen), i};
	}
	for (uint32_t i = 0; i < f->extra_n; i++) {
		const struct e4d_file_sums *x = &f->extra[i];

		parts[n++] = (struct part){x->ino, x->dev, x->gen, E4D_FILES + i};
	}
	qsort(parts, n, sizeof(*parts), by_file);
	return n;
}

static void give_all(struct e4d_files *f, const struct part *parts, size_t n, e4d_file_fn *fn,
                     void *ctx)
{
	for (size_t i = 0; i < n;) {
		const struct part *p = &parts[i];
		struct e4d_file_sums sums = {.ino = p->ino, .dev = p->dev, .gen = p->gen};

		for (; i < n && !by_file(p, &parts[i]); i++) {
			uint32_t at = parts[i].at;

			if (at < E4D_FILES)
				add_row(&sums, &f->shared->file[at]);
			else
				add_sums(&sums, &f->extra[at - E4D_FILES]);
		}
		fn(ctx, &sums);
	}
}

/* Counted at the begin, and by no row: their place of state was another's. */
static void add_unplaced(const struct e4d_shared *sh, struct e4d_file_sums *to)
{
	for (int i = 0; i < E4D_ROWS; i++) {
		to->writes += NOW(sh->rows[i].v[E4D_C_INSIDE]);
		to->submitted += NOW(sh->rows[i].v[E4D_C_INSIDE_BYTES]);
	}
}

static void give_other(struct e4d_files *f, e4d_file_fn *fn, void *ctx)
{
	struct e4d_file_sums sums = f->gone;

	for (int i = 0; i < E4D_ROWS; i++)
		add_row(&sums, &f->shared->file_other[i]);
	if (!f->all)
		add_unplaced(f->shared, &sums);
	fn(ctx, &sums);
}

/* The place is nobody's now: no program finds it, none is in it. */
static void free_place(struct e4d_files *f, uint32_t at)
{
	struct e4d_file *row = &f->shared->file[at];

	add_row(&f->gone, row);
	f->freed_writes += writes_of(row);
	f->freed_bytes += row->submitted;
	memset(row, 0, sizeof(*row));
	memset(&f->watch[at], 0, sizeof(f->watch[at]));
	__atomic_store_n(&f->shared->file_key[at], 0, __ATOMIC_RELEASE);
}

static void forget_places(struct e4d_files *f, uint64_t now)
{
	uint64_t *keys = (uint64_t *)f->shared->file_key, key;
	uint32_t used = 0;

	for (uint32_t i = 0; i < E4D_FILES; i++)
		used += NOW(keys[i]) != 0;
	for (uint32_t i = 0; i < E4D_FILES; i++) {
		struct e4d_file_watch *w = &f->watch[i];
		uint64_t writes;

		key = NOW(keys[i]);
		if (!key)
			continue;
		if (key & E4D_FILE_LEAVING) {
			if (!w->left_ns)
				w->left_ns = now;
			else if (now > w->left_ns + LEAVE_NS)
				free_place(f, i);
			continue;
		}
		writes = writes_of(&f->shared->file[i]);
		w->idle = writes == w->writes ? w->idle + 1 : 0;
		w->writes = writes;
		if (used > FULL && w->idle >= E4D_FILES_IDLE)
			__atomic_compare_exchange_n(&keys[i], &key, key | E4D_FILE_LEAVING, false,
			                            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

/* The oldest quarter, when the room for them is nearly used up. */
static void forget_extra(struct e4d_files *f)
{
	const size_t n = EXTRA / 4;

	if (f->extra_n <= EXTRA - n)
		return;
	for (size_t i = 0; i < n; i++)
		add_sums(&f->gone, &f->extra[i]);
	f->extra_n -= n;
	memmove(f->extra, f->extra + n, f->extra_n * sizeof(*f->extra));
}

int e4d_files_read(struct e4d_files *f, uint64_t now, e4d_file_fn *fn, void *ctx)
{
	struct part *parts = malloc((E4D_FILES + EXTRA) * sizeof(*parts));

	if (!parts)
		return -ENOMEM;
	give_all(f, parts, gather(f, parts), fn, ctx);
	give_other(f, fn, ctx);
	free(parts);
	forget_places(f, now);
	forget_extra(f);
	return 0;
}

/* Writes and bytes in the programs' rows so far, of places freed too. */
static void total(const struct e4d_files *f, uint64_t *writes, uint64_t *bytes)
{
	const struct e4d_shared *sh = f->shared;

	*writes = f->freed_writes;
	*bytes = f->freed_bytes;
	for (int i = 0; i < E4D_FILES; i++)
		if (NOW(sh->file_key[i])) {
			*writes += writes_of(&sh->file[i]);
			*bytes += NOW(sh->file[i].submitted);
		}
	for (int i = 0; i < E4D_ROWS; i++) {
		*writes += writes_of(&sh->file_other[i]);
		*bytes += NOW(sh->file_other[i].submitted);
	}
}

void e4d_files_count(const struct e4d_files *f, __u64 *v)
{
	uint64_t writes, bytes;

	if (f->all)
		return;
	total(f, &writes, &bytes);
	if (writes <= v[E4D_C_DONE]) /* a followed write is counted in one, not yet in the other */
		return;
	v[E4D_C_INSIDE] += writes - v[E4D_C_DONE];
	if (bytes > v[E4D_C_SUBMITTED])
		v[E4D_C_INSIDE_BYTES] += bytes - v[E4D_C_SUBMITTED];
}
