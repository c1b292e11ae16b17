/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "shared.h"
#include "session/pending.h"
#include "session/thread.h"

#define SCAN_NS       50000000ULL   /* between two scans */
#define SETTLE_NS     20000000ULL   /* a trim or fallback mostly begins within */
#define GRACE_NS      1000000000ULL /* a kernel worker this long idle is done */
#define OUTSIDE_TICKS 20            /* of user mode, and none of the kernel between */
#define LOOK_TICKS    5             /* a look counts no more of them: SCAN_NS */
#define GIVE_UP_NS    30000000000ULL

/* Takes all slots but `limit` for good; a slot in use is not touched. */
static void reserve(struct e4d_pending *p, uint32_t limit)
{
	for (uint64_t i = 0; i < E4D_SLOTS; i++) {
		__u64 free_key = 0;

		if (i * limit / E4D_SLOTS != (i + 1) * limit / E4D_SLOTS)
			continue;
		__atomic_compare_exchange_n(&p->slots[i].key, &free_key, E4D_KEY_TAKEN, false,
		                            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

int e4d_pending_open(struct e4d_pending *p, int map_fd, bool mapped, struct e4d_shared *shared,
                     uint32_t limit)
{
	memset(p, 0, sizeof(*p));
	p->shared = shared;
	p->fd = map_fd;
	p->mapped = mapped;
	if (!mapped)
		return 0;
	p->len = (size_t)E4D_SLOTS * ((sizeof(struct e4d_slot) + 7) & ~7UL);
	p->len = (p->len + 4095) & ~4095UL;
	p->slots = mmap(NULL, p->len, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (p->slots == MAP_FAILED) {
		p->slots = NULL;
		return -errno;
	}
	if (limit && limit < E4D_SLOTS)
		reserve(p, limit);
	return 0;
}

void e4d_pending_close(struct e4d_pending *p)
{
	if (p->slots)
		munmap(p->slots, p->len);
	p->slots = NULL;
}

/*
 * Has the thread spent time in user mode since it was first looked at? What
 * /proc says is scaled to the exact run time (cputime_adjust()), so both may
 * grow wherever the thread is; but in the kernel stime does, in the long run. A CPU that a
 * hypervisor takes away counts as run time without a tick of either: a jump of utime.
 */
static bool was_outside(struct e4d_pending *p, const struct e4d_record *r)
{
	struct e4d_watch *w = &p->watch[r->seq % E4D_WATCHES];
	int64_t utime, stime, more;

	if (e4d_thread_times(r->pid, r->tid, &utime, &stime))
		return false;
	if (w->seq != r->seq || stime > w->stime) {
		*w = (struct e4d_watch){.seq = r->seq, .utime = utime, .stime = stime};
		return false;
	}
	more = utime - w->utime;
	w->outside += more < LOOK_TICKS ? more : LOOK_TICKS;
	w->utime = utime;
	return w->outside >= OUTSIDE_TICKS;
}

/* Is the waiting write over? age is since its last event, ns. */
static bool over(struct e4d_pending *p, const struct e4d_slot *s, uint64_t age)
{
	const struct e4d_record *r = &s->rec;

	switch (e4d_thread_where(r->pid, r->tid, s->call)) {
	case E4D_ELSEWHERE:
		return true;
	case E4D_RUNNING:
		return was_outside(p, r);
	case E4D_IDLE:
		return age > GRACE_NS;
	default:
		return false;
	}
}

enum ripe {
	UNRIPE,
	SETTLED, /* its thread was seen outside of it */
	FORCED,  /* the session ends, or patience */
};

static enum ripe ripe(struct e4d_pending *p, const struct e4d_slot *s, uint64_t now, bool all)
{
	uint64_t age;

	if (all)
		return FORCED;
	if (!e4d_waits(s) || !s->event_ns || now < s->event_ns + SETTLE_NS)
		return UNRIPE;
	age = now - s->event_ns;
	if (age > GIVE_UP_NS)
		return FORCED;
	return over(p, s, age) ? SETTLED : UNRIPE;
}

/*
 * At the end of a session, or of patience: a write whose thread may still be
 * inside it is not judged by what has not happened yet.
 */
static bool over_at_last(struct e4d_pending *p, const struct e4d_slot *s, uint64_t now)
{
	if (!s->event_ns)
		return false;
	switch (e4d_thread_where(s->rec.pid, s->rec.tid, s->call)) {
	case E4D_INSIDE:
	case E4D_BLOCKED:
		return false;
	case E4D_RUNNING:
		return was_outside(p, &s->rec);
	default:
		return now > s->event_ns + SETTLE_NS;
	}
}

/*
 * copy is the caller's own; the slot itself is already free. A thread that was seen outside
 * is not asked for again: it runs on, and may be anywhere.
 */
static int settle_one(struct e4d_pending *p, struct e4d_slot *copy, enum ripe why, uint64_t now,
                      int (*fn)(void *ctx, const struct e4d_record *rec), void *ctx)
{
	bool waited = e4d_waits(copy);

	e4d_busy_add(p->shared, copy, -1);
	p->settled += waited;
	if (copy->phase == E4D_PHASE_STRAY) /* no direct write's */
		return 0;
	e4d_thread_comm(copy->rec.pid, copy->rec.tid, copy->rec.comm);
	if (waited && (why == SETTLED || over_at_last(p, copy, now))) {
		copy->rec.evidence = E4D_INFERRED;
		if (e4d_fallback_unseen(p->shared, copy))
			copy->rec.doubt |= E4D_DOUBT_HALF;
	} else {
		copy->rec.doubt |= E4D_DOUBT_SETTLE;
		copy->rec.latency_ns = now > copy->rec.ts_ns ? now - copy->rec.ts_ns : 0;
	}
	e4d_settle(copy, now);
	return fn(ctx, &copy->rec);
}

static bool is_state(const struct e4d_slot *s, __u64 key)
{
	return key && key != E4D_KEY_TAKEN && !s->link && s->rec.seq;
}

static int settle_mapped(struct e4d_pending *p, uint64_t now, bool all,
                         int (*fn)(void *ctx, const struct e4d_record *rec), void *ctx)
{
	struct e4d_slot copy;
	int err = 0;

	for (size_t i = 0; i < E4D_SLOTS && !err; i++) {
		struct e4d_slot *s = &p->slots[i];
		__u64 key = __atomic_load_n(&s->key, __ATOMIC_ACQUIRE);
		__u64 seq = s->rec.seq, event = s->event_ns;
		enum ripe why = is_state(s, key) ? ripe(p, s, now, all) : UNRIPE;

		if (why == UNRIPE)
			continue;
		/* asking /proc took a while: is it still the same write, and waiting? */
		if (s->rec.seq != seq || s->event_ns != event || (!all && !e4d_waits(s)))
			continue;
		if (!__atomic_compare_exchange_n(&s->key, &key, E4D_KEY_TAKEN, false,
		                                 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		copy = *s;
		s->phase = E4D_PHASE_DIO;
		s->rec.seq = 0;
		__atomic_store_n(&s->key, 0, __ATOMIC_RELEASE);
		err = settle_one(p, &copy, why, now, fn, ctx);
	}
	return err;
}

static int settle_hash(struct e4d_pending *p, uint64_t now, bool all,
                       int (*fn)(void *ctx, const struct e4d_record *rec), void *ctx)
{
	__u64 key, next, *at = NULL;
	struct e4d_slot copy;
	int err = 0;

	while (!err && !bpf_map_get_next_key(p->fd, at, &next)) {
		enum ripe why = UNRIPE;

		if (!bpf_map_lookup_elem(p->fd, &next, &copy) && is_state(&copy, next))
			why = ripe(p, &copy, now, all);
		key = next;
		at = &key;
		if (why == UNRIPE)
			continue;
		/* restart: the key that iteration stands on is gone */
		if (!bpf_map_delete_elem(p->fd, &next))
			err = settle_one(p, &copy, why, now, fn, ctx);
		at = NULL;
	}
	return err;
}

int e4d_pending_settle(struct e4d_pending *p, uint64_t now, bool all,
                       int (*fn)(void *ctx, const struct e4d_record *rec), void *ctx)
{
	if (!all && now < p->next_ns)
		return 0;
	p->next_ns = now + SCAN_NS;
	return p->mapped ? settle_mapped(p, now, all, fn, ctx) : settle_hash(p, now, all, fn, ctx);
}

static void each_mapped(const struct e4d_pending *p,
                        void (*fn)(void *ctx, const struct e4d_slot *s), void *ctx)
{
	struct e4d_slot copy;

	for (size_t i = 0; i < E4D_SLOTS; i++) {
		const struct e4d_slot *s = &p->slots[i];
		__u64 key = __atomic_load_n(&s->key, __ATOMIC_ACQUIRE);

		if (!is_state(s, key))
			continue;
		copy = *s;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		/* seq is set when all is, and is no other write's */
		if (is_state(&copy, key) &&
		    __atomic_load_n(&s->rec.seq, __ATOMIC_RELAXED) == copy.rec.seq &&
		    __atomic_load_n(&s->key, __ATOMIC_RELAXED) == key)
			fn(ctx, &copy);
	}
}

#define BATCH 1024 /* more than any bucket holds */

/* By buckets, each under its lock: none comes twice, whatever is deleted meanwhile. */
static void each_hash(const struct e4d_pending *p, void (*fn)(void *ctx, const struct e4d_slot *s),
                      void *ctx)
{
	struct e4d_slot *slots = malloc(BATCH * sizeof(*slots));
	__u64 *keys = malloc(BATCH * sizeof(*keys));
	__u32 at = 0, n;
	void *from = NULL;
	int err = 0;

	while (slots && keys && !err) {
		n = BATCH;
		err = bpf_map_lookup_batch(p->fd, from, &at, keys, slots, &n, NULL);
		if (err && errno != ENOENT)
			break;
		from = &at;
		for (__u32 i = 0; i < n; i++)
			if (is_state(&slots[i], keys[i]))
				fn(ctx, &slots[i]);
	}
	free(slots);
	free(keys);
}

void e4d_pending_each(const struct e4d_pending *p, void (*fn)(void *ctx, const struct e4d_slot *s),
                      void *ctx)
{
	if (p->mapped)
		each_mapped(p, fn, ctx);
	else
		each_hash(p, fn, ctx);
}

size_t e4d_pending_plain(const struct e4d_pending *p)
{
	size_t n = 0;

	for (size_t i = 0; i < 1 << E4D_PLAIN_BITS; i++)
		n += __atomic_load_n(&p->shared->plain[i].iocb, __ATOMIC_RELAXED) != 0;
	return n;
}

int e4d_pending_end_plain(struct e4d_pending *p, uint64_t now, enum e4d_tier tier,
                          int (*fn)(void *ctx, const struct e4d_record *rec), void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < 1 << E4D_PLAIN_BITS && !err; i++) {
		struct e4d_plain *pl = &p->shared->plain[i];
		struct e4d_record rec = {.tier = tier};

		if (!pl->iocb)
			continue;
		e4d_plain_record(&rec, pl, pl->isize, 0, now);
		e4d_plain_free(pl);
		p->plain++;
		rec.seen &= ~E4D_SEEN_RET;
		rec.doubt = E4D_DOUBT_SETTLE;
		rec.verdict = e4d_verdict(&rec);
		e4d_thread_comm(rec.pid, rec.tid, rec.comm);
		err = fn(ctx, &rec);
	}
	return err;
}
