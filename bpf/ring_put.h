/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How an event gets into the ring: see flight.h. A program may be preempted anywhere here,
 * and waits for nobody. The including file has `shared`, `cfg` and ring_page(row,
 * number): a BPF object, or a test that runs it in threads.
 */
#ifndef E4D_RING_PUT_H
#define E4D_RING_PUT_H

#define RING_FULL  (~0ULL)
#define RING_TRIES 8

/*
 * Is page `next` open, by us or another? If not, look again: *next may have moved on past
 * one that somebody is still writing to since the lap before.
 */
static __always_inline bool ring_open(struct e4d_flight_page *page, __u64 *next)
{
	__u64 state = *(volatile __u64 *)&page->state;

	if (state >> 8 == *next)
		return true;
	if (state >> 8 > *next)
		return false; /* we slept for a lap, and the cursor has moved */
	if ((state & 0xff) == E4D_FLIGHT_SLOTS || *next < cfg.ring_pages)
		return __sync_val_compare_and_swap(&page->state, state, *next << 8) == state;
	++*next;
	return false;
}

/* The slots from `at` on are too few, and nobody else's. */
static __always_inline void ring_gap(__u32 row, __u64 at)
{
	struct e4d_flight_page *page = ring_page(row, at >> 16);

	if (page && (at & 0xffff) < E4D_FLIGHT_SLOTS)
		__sync_fetch_and_add(&page->state, E4D_FLIGHT_SLOTS - (at & 0xffff));
}

/*
 * `at` of the row has too few slots left: leaves its page for another. Where `need` are,
 * or RING_FULL. Not static: so it is verified once, and not for each of its callers.
 */
__attribute__((noinline)) __u64 ring_turn(__u32 row, __u64 at, __u32 need)
{
	struct e4d_ring_row *line = &shared.ring[row & (E4D_ROWS - 1)];
	__u64 *cursor = &line->cursor, next = (at >> 16) + 1, now;

	ring_gap(row, at);
	for (__u32 i = 0; i < RING_TRIES; i++) {
		now = *(volatile __u64 *)cursor;
		if (now >> 16 == at >> 16) {
			struct e4d_flight_page *page = ring_page(row, next);

			if (!page || (!cfg.overwrite && next >= line->released + cfg.ring_pages))
				break;
			if (!ring_open(page, &next))
				continue;
			__sync_val_compare_and_swap(cursor, now, next << 16);
		}
		at = __sync_fetch_and_add(cursor, need);
		if ((at & 0xffff) + need <= E4D_FLIGHT_SLOTS)
			return at;
		ring_gap(row, at);
		next = (at >> 16) + 1;
	}
	/* so that it does not run over */
	now = *(volatile __u64 *)cursor;
	if (now >> 16 == at >> 16)
		__sync_val_compare_and_swap(cursor, now, at >> 16 << 16 | E4D_FLIGHT_SLOTS);
	return RING_FULL;
}

struct ring_at {
	struct e4d_flight_page *page;
	struct e4d_event *event;
	__u64 at;
};

/* Room in the row for an event of so many slots. False: the ring is full. */
static __always_inline bool ring_reserve(struct ring_at *r, __u32 row, __u32 need)
{
	__u64 at = __sync_fetch_and_add(&shared.ring[row].cursor, need), slot;

	if ((at & 0xffff) > E4D_FLIGHT_SLOTS - need)
		at = ring_turn(row, at, need);
	slot = at & 0xffff;
	if (slot > E4D_FLIGHT_SLOTS - need)
		return false;
	r->page = ring_page(row, at >> 16);
	if (!r->page)
		return false;
	r->event = (struct e4d_event *)r->page->slot[slot];
	r->at = at;
	return true;
}

/* The event is written: its id, size and mark at once. */
static __always_inline void ring_commit(struct ring_at *r, __u32 need, __u16 id)
{
	__u64 mark = e4d_flight_mark(r->at >> 16, r->at & 0xffff);
	__u64 *head = (__u64 *)&r->event->id;
	__u64 word = id | need * E4D_FLIGHT_SLOT << 16 | mark << 32;

#if defined(__TARGET_ARCH_x86)
	asm volatile("" ::: "memory");
	*(volatile __u64 *)head = word; /* stores are in order */
#else
	__sync_lock_test_and_set(head, word);
#endif
	__sync_fetch_and_add(&r->page->state, need);
}

#endif
