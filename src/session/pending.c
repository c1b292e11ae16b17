/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "config.h"
#include "session/pending.h"

#define SCAN_NS       50000000ULL   /* between two scans */
#define GRACE_NS      1000000000ULL /* a thread this long without a step is done */
#define BUSY_GRACE_NS 30000000000ULL

int e4d_pending_open(struct e4d_pending *p, int map_fd, bool mapped)
{
	memset(p, 0, sizeof(*p));
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
	return 0;
}

void e4d_pending_close(struct e4d_pending *p)
{
	if (p->slots)
		munmap(p->slots, p->len);
	p->slots = NULL;
}

/* Is the thread blocked in the kernel, perhaps still inside this write? */
static bool thread_blocked(const struct e4d_record *r)
{
	char path[64], line[512], *state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", r->pid, r->tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	state = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	return state && state[1] && state[2] == 'D';
}

static bool ripe(const struct e4d_slot *s, uint64_t now, bool all)
{
	uint64_t age;

	if (all)
		return true;
	if (!e4d_waits(s) || now < s->event_ns)
		return false;
	age = now - s->event_ns;
	return age > BUSY_GRACE_NS || (age > GRACE_NS && !thread_blocked(&s->rec));
}

/* copy is the caller's own; the slot itself is already free. */
static int settle_one(struct e4d_pending *p, struct e4d_slot *copy, uint64_t now,
                      int (*fn)(void *ctx, const struct e4d_record *rec), void *ctx)
{
	if (e4d_waits(copy)) {
		copy->rec.evidence = E4D_INFERRED;
		p->settled++;
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

		if (!is_state(s, key) || !ripe(s, now, all))
			continue;
		if (!__atomic_compare_exchange_n(&s->key, &key, E4D_KEY_TAKEN, false,
		                                 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		copy = *s;
		__atomic_store_n(&s->key, 0, __ATOMIC_RELEASE);
		/* the thread may have gone on between the look and the claim */
		err = settle_one(p, &copy, now, fn, ctx);
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
		bool take = !bpf_map_lookup_elem(p->fd, &next, &copy) && is_state(&copy, next) &&
		            ripe(&copy, now, all);

		key = next;
		at = &key;
		if (!take)
			continue;
		/* restart: the key that iteration stands on is gone */
		if (!bpf_map_delete_elem(p->fd, &next))
			err = settle_one(p, &copy, now, fn, ctx);
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
