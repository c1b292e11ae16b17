/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <string.h>
#include <time.h>
#include "session/flight.h"
#include "session/thread.h"
#include "util/clock.h"

#define OLD_NS 1000000000ULL /* asked after */

/* Reading all of them, with the way out. */
struct reading {
	const struct e4d_flights *f;
	e4d_flight_fn *fn;
	void *ctx;
};

/* Makes a time of CLOCK_MONOTONIC, by which plain writes are timed, one of CLOCK_BOOTTIME. */
static uint64_t asleep_ns(void)
{
	struct timespec boot, mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (uint64_t)(boot.tv_sec - mono.tv_sec) * 1000000000 + boot.tv_nsec - mono.tv_nsec;
}

static void give_slot(void *ctx, const struct e4d_slot *s)
{
	const struct e4d_record *r = &s->rec;
	struct reading *to = ctx;
	struct e4d_flight f = {
		.begin_ns = r->ts_ns,
		.ino = r->ino,
		.dev = r->dev,
		.gen = r->gen,
		.pid = r->pid,
		.tid = r->tid,
		.offset = r->offset,
		.submitted = r->submitted,
		.mapped = r->mapped,
		.flags = r->flags,
		.known =
			E4D_FLIGHT_FILE | E4D_FLIGHT_THREAD | E4D_FLIGHT_OFFSET | E4D_FLIGHT_MAPPED,
		.waits = e4d_waits(s),
	};

	if (s->phase != E4D_PHASE_STRAY) /* no direct write's */
		to->fn(to->ctx, &f);
}

static void add_where(struct e4d_flight *f, const struct e4d_plain *p)
{
	f->ino = p->ino;
	f->dev = p->dev;
	f->gen = p->gen;
	f->offset = p->offset;
	f->flags = p->flags;
	f->known |= E4D_FLIGHT_FILE | E4D_FLIGHT_OFFSET;
}

static void add_file(struct e4d_flight *f, const struct e4d_table *files, uint64_t inode)
{
	const struct e4d_sums *s = files ? e4d_table_find(files, inode) : NULL;

	if (!s || !s->who)
		return;
	f->ino = s->who;
	f->dev = s->dev;
	f->gen = s->gen;
	f->known |= E4D_FLIGHT_FILE;
}

/*
 * Only the fentry tier sees a plain write that failed before it was submitted:
 * the others wait for its completion. Its place is taken over when the same iocb comes again; until
 * then it looks as if under way.
 */
static bool failed_unseen(const struct e4d_plain *p)
{
	return (p->flags & E4D_F_SYNC) &&
	       e4d_thread_where(p->id >> 32, (uint32_t)p->id, p->call) == E4D_ELSEWHERE;
}

static void give_plain(const struct reading *to, const struct e4d_plain *p, uint64_t begin_ns)
{
	struct e4d_flight f = {.begin_ns = begin_ns, .submitted = p->submitted};
	bool all = to->f->all, known = all || e4d_knows(p, E4D_WANT_FLIGHTS);
	bool old = to->f->tier != E4D_TIER_FENTRY && !all && e4d_boot_ns() > begin_ns + OLD_NS;

	if (old && known && failed_unseen(p))
		return;
	if (known)
		add_where(&f, p);
	else
		add_file(&f, to->f->files, p->inode);
	if (all || e4d_knows(p, ~0)) {
		f.pid = p->id >> 32;
		f.tid = (uint32_t)p->id;
		f.known |= E4D_FLIGHT_THREAD;
	}
	if (all) {
		f.mapped = p->mapped;
		f.known |= E4D_FLIGHT_MAPPED;
	}
	f.doubtful = old && !(known && (p->flags & E4D_F_SYNC));
	to->fn(to->ctx, &f);
}

/* iocb and ts_ns are set one after the other: an entry that stayed the same from one pass
 * to the next is whole. */
static void give_plains(const struct reading *to)
{
	const struct e4d_plain *plain = to->f->shared->plain;
	uint64_t seen[1 << E4D_PLAIN_BITS], asleep = to->f->all ? 0 : asleep_ns();
	struct e4d_plain copy;

	for (size_t i = 0; i < 1 << E4D_PLAIN_BITS; i++)
		seen[i] = __atomic_load_n(&plain[i].iocb, __ATOMIC_ACQUIRE) ? plain[i].ts_ns : 0;
	for (size_t i = 0; i < 1 << E4D_PLAIN_BITS; i++) {
		if (!seen[i])
			continue;
		copy = plain[i];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (copy.iocb && copy.ts_ns == seen[i] &&
		    __atomic_load_n(&plain[i].iocb, __ATOMIC_RELAXED) == copy.iocb &&
		    __atomic_load_n(&plain[i].ts_ns, __ATOMIC_RELAXED) == seen[i])
			give_plain(to, &copy, copy.ts_ns + asleep);
	}
}

void e4d_flights_read(const struct e4d_flights *f, e4d_flight_fn *fn, void *ctx)
{
	struct reading to = {f, fn, ctx};

	e4d_pending_each(f->pending, give_slot, &to);
	give_plains(&to);
}
