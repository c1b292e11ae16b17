/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counters, and the table of writes in flight. */
#ifndef E4D_STATE_BPF_H
#define E4D_STATE_BPF_H

#include "access.bpf.h"

/* Out of line, so that the short way needs few registers. */
#define SLOW static __noinline __attribute__((unused))

/* Bumped when somebody who is not the writer removes blocks of an inode. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, E4D_GENERATIONS);
	__type(key, __u32);
	__type(value, __u32);
} generations SEC(".maps");

static __always_inline struct e4d_counters *counters_of(__u32 cpu)
{
	return &shared.rows[cpu & (E4D_ROWS - 1)];
}

static __always_inline struct e4d_counters *counters(void)
{
	return counters_of(bpf_get_smp_processor_id());
}

static __always_inline void count(enum e4d_counter c, __s64 n)
{
	__sync_fetch_and_add(&counters()->v[c], n);
}

/* Is a write followed whose iocb or inode may be this one? */
static __always_inline bool busy(const void *iocb_or_inode)
{
	return shared.busy[e4d_busy_at(k_id(iocb_or_inode)) & ((1 << E4D_BUSY_BITS) - 1)];
}

static __always_inline __u32 sat_add(__u32 a, __u64 b)
{
	__u64 sum = a + b;

	return sum > 0xffffffffULL ? 0xffffffff : sum;
}

static __always_inline __u64 new_seq(void)
{
#ifdef E4D_NO_CMPXCHG
	/* no fetch-and-add either; the CPU keeps two from being equal */
	__sync_fetch_and_add(&shared.next_seq, 1);
	return (shared.next_seq << 12 | bpf_get_smp_processor_id()) + 1;
#else
	return __sync_fetch_and_add(&shared.next_seq, 1) + 1;
#endif
}

static __always_inline __u32 *generation(__u64 inode_id)
{
	__u32 i = (inode_id * 0x9e3779b97f4a7c15ULL) >> 52;

	return bpf_map_lookup_elem(&generations, &i);
}

static __always_inline void generation_bump(struct inode *inode)
{
	__u32 *g = generation(k_id(inode));

	if (g)
		__sync_fetch_and_add(g, 1);
}

#ifdef E4D_NO_CMPXCHG
/*
 * 5.10 has no compare-and-swap (BPF_CMPXCHG is 5.12, commit 5ffa25502b5a): a
 * preallocated hash map claims by BPF_NOEXIST instead.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, E4D_SLOTS);
	__type(key, __u64);
	__type(value, struct e4d_slot);
} inflight SEC(".maps");

/* What a new slot is copied from: zero but for nothing. */
static const struct e4d_slot empty_slot = {};

static __always_inline struct e4d_slot *slot_find(__u64 key)
{
	return bpf_map_lookup_elem(&inflight, &key);
}

static __always_inline struct e4d_slot *slot_claim(__u64 key)
{
	struct e4d_slot *s;

	if (bpf_map_update_elem(&inflight, &key, &empty_slot, BPF_NOEXIST))
		return NULL;
	s = bpf_map_lookup_elem(&inflight, &key);
	if (s)
		s->key = key;
	return s;
}

/* Only ever contended by an iocb reused within one submission: see finish(). */
static __always_inline bool slot_take(struct e4d_slot *s, __u64 key)
{
	return s->key == key;
}

static __always_inline void slot_free(struct e4d_slot *s, __u64 key)
{
	e4d_busy_add(&shared, s, -1);
	s->key = 0;
	bpf_map_delete_elem(&inflight, &key);
}
#else
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, E4D_SLOTS);
	__type(key, __u32);
	__type(value, struct e4d_slot);
} inflight SEC(".maps");

static __always_inline struct e4d_slot *slot_at(__u32 i)
{
	i &= E4D_SLOTS - 1;
	return bpf_map_lookup_elem(&inflight, &i);
}

static __always_inline __u32 slot_hash(__u64 key)
{
	return (key * 0x9e3779b97f4a7c15ULL) >> 50; /* log2(E4D_SLOTS) bits */
}

/* NULL when there is none; one look in the common case of no displacement. */
static __always_inline struct e4d_slot *slot_find(__u64 key)
{
	__u32 home = slot_hash(key), spill;
	struct e4d_slot *s = slot_at(home);

	if (!s || s->key == key)
		return s;
	spill = s->spill;
	for (__u32 i = 1; i < E4D_PROBES; i++) {
		if (i > spill)
			break;
		s = slot_at(home + i);
		if (s && s->key == key)
			return s;
	}
	return NULL;
}

/* NULL: no free slot within reach; the caller counts it. */
static __always_inline struct e4d_slot *slot_claim(__u64 key)
{
	__u32 at = slot_hash(key);
	struct e4d_slot *home = slot_at(at), *s;

	if (!home)
		return NULL;
	for (__u32 i = 0; i < E4D_PROBES; i++) {
		s = slot_at(at + i);
		if (!s || s->key || __sync_val_compare_and_swap(&s->key, 0, key))
			continue;
		if (i > home->spill)
			home->spill = i;
		return s;
	}
	return NULL;
}

/* Of several that want to finish a write, one gets it. */
static __always_inline bool slot_take(struct e4d_slot *s, __u64 key)
{
	return __sync_val_compare_and_swap(&s->key, key, E4D_KEY_TAKEN) == key;
}

static __always_inline void slot_free(struct e4d_slot *s, __u64 key)
{
	(void)key;
	e4d_busy_add(&shared, s, -1);
	/* user space may look between a claim and its first words */
	s->phase = 0;
	s->rec.seq = 0;
	s->key = 0;
}
#endif

static __always_inline __u64 key_of(__u64 pid_tgid)
{
	return E4D_KEY_THREAD | (__u32)pid_tgid;
}

static __always_inline __u64 thread_key(void)
{
	return key_of(bpf_get_current_pid_tgid());
}

/* The state behind a thread's slot: itself, or the iocb's; NULL when gone. */
static __always_inline struct e4d_slot *slot_follow(struct e4d_slot *t)
{
	struct e4d_slot *w;

	if (!t->link)
		return t;
	w = slot_find(t->link);
	return w && w->rec.seq == t->link_seq ? w : NULL;
}

#endif
