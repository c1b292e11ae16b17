/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include "flight/page.h"
#include "session/ring.h"

#define SETTLED (E4D_FLIGHT_SLOTS / 2) /* writes that a page of user space's holds */

static struct e4d_flight_page *page_at(const struct e4d_ring *r, uint32_t row, uint64_t number)
{
	return &r->pages[(size_t)row * r->row_pages + (number & (r->row_pages - 1))];
}

/* All but what the programs write. */
static void format(struct e4d_ring *r, struct e4d_flight_page *p, uint32_t stream)
{
	p->head.magic = E4D_PACKET_MAGIC;
	memcpy(p->head.uuid, r->uuid, sizeof(p->head.uuid));
	p->head.stream_instance_id = stream;
	p->head.packet_size = E4D_FLIGHT_PAGE * 8;
	p->magic = E4D_FLIGHT_MAGIC;
	p->major = E4D_FLIGHT_MAJOR;
	p->rows = r->rows;
	p->pages = r->row_pages;
}

static int map_ring(struct e4d_ring *r, int map_fd, size_t entries)
{
	r->len = entries * E4D_FLIGHT_PAGE;
	r->pages = mmap(NULL, r->len, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (r->pages == MAP_FAILED) {
		r->pages = NULL;
		return -errno;
	}
	return 0;
}

int e4d_ring_open(struct e4d_ring *r, int map_fd, struct e4d_shared *shared, uint32_t rows,
                  uint32_t row_pages, bool overwrite)
{
	int err;

	memset(r, 0, sizeof(*r));
	r->shared = shared;
	r->rows = rows;
	r->row_pages = row_pages;
	r->overwrite = overwrite;
	if (getrandom(r->uuid, sizeof(r->uuid), 0) != sizeof(r->uuid))
		return -EIO;
	r->uuid[6] = (r->uuid[6] & 0x0f) | 0x40; /* RFC 9562, version 4 */
	r->uuid[8] = (r->uuid[8] & 0x3f) | 0x80;
	err = map_ring(r, map_fd, e4d_ring_pages(r));
	if (err)
		return err;
	for (uint32_t row = 0; row < rows; row++)
		for (uint32_t i = 0; i < row_pages; i++)
			format(r, page_at(r, row, i), row);
	for (uint32_t i = 1; i < E4D_FLIGHT_USER; i++)
		format(r, e4d_ring_user(r) + i, E4D_STREAM_SETTLED);
	return 0;
}

/* So many writes were settled by the process before. */
static uint64_t settled_before(const struct e4d_ring *r)
{
	uint64_t most = 0;

	for (uint32_t i = 1; i < E4D_FLIGHT_USER; i++) {
		uint64_t state = e4d_ring_user(r)[i].state;
		uint64_t n = (state >> 8) * SETTLED + (state & 0xff) / 2;

		most = n > most ? n : most;
	}
	return most;
}

int e4d_ring_adopt(struct e4d_ring *r, int map_fd, size_t entries, struct e4d_shared *shared)
{
	struct e4d_flight_info info;
	int err;

	memset(r, 0, sizeof(*r));
	r->shared = shared;
	r->overwrite = true;
	err = map_ring(r, map_fd, entries);
	if (err)
		return err;
	if (e4d_flight_page_info(&r->pages[0], NULL, &info) || info.rows > E4D_ROWS ||
	    (size_t)info.rows * info.pages + E4D_FLIGHT_USER != entries)
		return -EPROTO;
	memcpy(r->uuid, info.uuid, sizeof(r->uuid));
	r->rows = info.rows;
	r->row_pages = info.pages;
	r->settled = settled_before(r);
	return 0;
}

void e4d_ring_close(struct e4d_ring *r)
{
	if (r->pages)
		munmap(r->pages, r->len);
	r->pages = NULL;
}

/* A cursor as a number of slots. */
static uint64_t cursor_slots(const struct e4d_ring *r, uint32_t row)
{
	uint64_t c = __atomic_load_n(&r->shared->ring[row].cursor, __ATOMIC_ACQUIRE);
	uint64_t slot = c & 0xffff;

	return (c >> 16) * E4D_FLIGHT_SLOTS + (slot < E4D_FLIGHT_SLOTS ? slot : E4D_FLIGHT_SLOTS);
}

uint64_t e4d_ring_waiting(const struct e4d_ring *r)
{
	uint64_t most = 0;

	for (uint32_t row = 0; row < r->rows; row++) {
		uint64_t to = cursor_slots(r, row);
		uint64_t at = r->at[row].page * E4D_FLIGHT_SLOTS + r->at[row].slot;

		if (to > at && to - at > most)
			most = to - at;
	}
	return most;
}

uint64_t e4d_ring_grown(struct e4d_ring *r)
{
	uint64_t most = 0;

	for (uint32_t row = 0; row < r->rows; row++) {
		uint64_t to = cursor_slots(r, row), from = r->at[row].grown_from;

		if (to > from && to - from > most)
			most = to - from;
		r->at[row].grown_from = to;
	}
	return most;
}

/* On to the row's page `number`; those before it may be taken anew. */
static void go_to(struct e4d_ring *r, uint32_t row, uint64_t number)
{
	r->at[row].page = number;
	r->at[row].slot = 0;
	if (!r->overwrite)
		__atomic_store_n(&r->shared->ring[row].released, number, __ATOMIC_RELEASE);
}

/*
 * The page said that it is `number`: another's by now, not in use yet, or never to be,
 * which only happens where pages are overwritten. False: it is not in use yet.
 */
static bool skip(struct e4d_ring *r, uint32_t row, uint64_t number)
{
	uint64_t last = __atomic_load_n(&r->shared->ring[row].cursor, __ATOMIC_ACQUIRE) >> 16;
	uint64_t at = r->at[row].page;

	if (!r->overwrite || last <= at)
		return false;
	/* the cursor comes to a page after it is opened: it may have been since we looked */
	if (__atomic_load_n(&page_at(r, row, at)->state, __ATOMIC_ACQUIRE) >> 8 != number)
		return true;
	if (number > at && last > at + r->row_pages / 2) {
		/* overtaken: half a ring of room before the next time */
		r->lapped += last - r->row_pages / 2 - at;
		at = last - r->row_pages / 2 - 1;
	}
	go_to(r, row, at + 1);
	return true;
}

/* The row's next whole event, or NULL. */
static const struct e4d_event *peek(struct e4d_ring *r, uint32_t row)
{
	for (;;) {
		const struct e4d_flight_page *p = page_at(r, row, r->at[row].page);
		uint64_t state = __atomic_load_n(&p->state, __ATOMIC_ACQUIRE);
		const struct e4d_event *e;

		if (state >> 8 != r->at[row].page) {
			if (!skip(r, row, state >> 8))
				return NULL;
			continue;
		}
		if (r->at[row].slot >= E4D_FLIGHT_SLOTS) {
			/* seen is an event before it is counted: until then the page is not free */
			if (!r->overwrite && (state & 0xff) != E4D_FLIGHT_SLOTS)
				return NULL;
			go_to(r, row, r->at[row].page + 1);
			continue;
		}
		e = e4d_flight_event(p, r->at[row].page, r->at[row].slot);
		if (e)
			return e;
		if ((state & 0xff) != E4D_FLIGHT_SLOTS)
			return NULL; /* it is being written, or nobody's yet */
		r->at[row].slot++;   /* a gap */
	}
}

/* So many events from e on are of the same kind, and ended until then. */
static size_t run_of(const struct e4d_ring *r, uint32_t row, uint64_t until)
{
	const struct e4d_flight_page *p = page_at(r, row, r->at[row].page);
	uint32_t slot = r->at[row].slot, n = 1;
	uint64_t word = E4D_EV_INSIDE | E4D_FLIGHT_SLOT << 16 |
	                (uint64_t)e4d_flight_mark(r->at[row].page, slot) << 32;

	/* e4d_flight_event() for those of this kind, in fewer steps: the mark counts the slots */
	for (; slot + n < E4D_FLIGHT_SLOTS; n++) {
		const struct e4d_event *e = (const struct e4d_event *)p->slot[slot + n];

		word += 1ULL << 32;
		if (__atomic_load_n((const uint64_t *)&e->id, __ATOMIC_ACQUIRE) != word ||
		    e->timestamp > until)
			break;
	}
	return n;
}

static int hand_over(struct e4d_ring *r, uint32_t row, const struct e4d_event *e, uint64_t until,
                     e4d_ring_fn *fn, void *ctx, uint64_t *n)
{
	size_t run = e->id == E4D_EV_INSIDE ? run_of(r, row, until) : 1;
	uint32_t slots = e->id == E4D_EV_INSIDE ? run : 2;
	struct e4d_ev_write copy;
	int err = 0;

	if (!r->overwrite) {
		err = fn(ctx, e, run);
	} else if (e->id == E4D_EV_WRITE) {
		copy = *(const struct e4d_ev_write *)e;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&page_at(r, row, r->at[row].page)->state, __ATOMIC_RELAXED) >>
		            8 !=
		    r->at[row].page)
			return 0; /* the next peek() sees it */
		err = fn(ctx, &copy.head, 1);
	}
	r->at[row].slot += slots;
	*n += run;
	return err;
}

static int read_rows(struct e4d_ring *r, uint64_t until, e4d_ring_fn *fn, void *ctx, uint64_t *n)
{
	const struct e4d_event *e;
	int err = 0;

	for (uint32_t row = 0; row < r->rows && !err; row++)
		while (!err && (e = peek(r, row)) && e->timestamp <= until)
			err = hand_over(r, row, e, until, fn, ctx, n);
	return err;
}

int e4d_ring_read(struct e4d_ring *r, uint64_t until, bool in_order, e4d_ring_fn *fn, void *ctx,
                  uint64_t *n)
{
	int err = 0;

	if (!in_order || r->rows == 1)
		return read_rows(r, until, fn, ctx, n);
	while (!err) {
		const struct e4d_event *first = NULL;
		uint64_t second = until;
		uint32_t row = 0;

		for (uint32_t i = 0; i < r->rows; i++) {
			const struct e4d_event *e = peek(r, i);

			if (!e || e->timestamp > until)
				continue;
			if (first && e->timestamp >= first->timestamp) {
				second = e->timestamp < second ? e->timestamp : second;
				continue;
			}
			if (first)
				second = first->timestamp;
			first = e;
			row = i;
		}
		if (!first)
			break;
		err = hand_over(r, row, first, second, fn, ctx, n);
	}
	return err;
}

void e4d_ring_put(struct e4d_ring *r, const struct e4d_record *rec, uint64_t now)
{
	uint64_t number = r->settled / SETTLED;
	uint32_t slot = r->settled % SETTLED * 2;
	struct e4d_flight_page *p = e4d_ring_user(r) + 1 + number % (E4D_FLIGHT_USER - 1);
	struct e4d_ev_write *e = (struct e4d_ev_write *)p->slot[slot];
	uint64_t word = E4D_EV_WRITE | 2 * E4D_FLIGHT_SLOT << 16 |
	                (uint64_t)e4d_flight_mark(number, slot) << 32;
	uint64_t last = slot + 4 > E4D_FLIGHT_SLOTS ? E4D_FLIGHT_SLOTS : slot + 2;

	if (!slot)
		__atomic_store_n(&p->state, number << 8, __ATOMIC_SEQ_CST);
	e->head.timestamp = now;
	e->rec = *rec;
	__atomic_store_n((uint64_t *)&e->head.id, word, __ATOMIC_RELEASE);
	__atomic_store_n(&p->state, number << 8 | last, __ATOMIC_RELEASE);
	r->settled++;
}
