/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The ring of events, its writers in threads on one row: preempted anywhere, as programs
 * may be. No event is lost uncounted, none is invented.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "flight/page.h"
#include "probe/attach.h"
#include "session/ring.h"
#include "shared.h"

/* What the programs have. */
static struct e4d_shared shared;
static struct e4d_config cfg;
static struct e4d_flight_page *pages; /* of the ring under test */

static struct e4d_flight_page *ring_page(uint32_t row, uint64_t number)
{
	return &pages[row * cfg.ring_pages + (number & (cfg.ring_pages - 1))];
}

#define __TARGET_ARCH_x86
#include "../../bpf/ring_put.h"

#define WRITERS 4
#define EVENTS  60000 /* of each */

static struct e4d_ring ring;

static void open_ring(uint32_t row_pages, bool overwrite)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);

	memset(&shared, 0, sizeof(shared));
	cfg.ring_rows = 1;
	cfg.ring_pages = row_pages;
	cfg.overwrite = overwrite;
	assert_int_equal(ftruncate(fd, (off_t)(row_pages + E4D_FLIGHT_USER) * E4D_FLIGHT_PAGE), 0);
	assert_int_equal(e4d_ring_open(&ring, fd, &shared, 1, row_pages, overwrite), 0);
	pages = ring.pages;
	close(fd);
}

/* Each of its words says the same number, so that a mixture shows. */
static void fill(void *from, size_t len, uint64_t v)
{
	uint64_t *p = from;

	for (size_t i = 0; i < len / 8; i++) {
		p[i] = v;
		if (i == 3 && !(v & 31))
			sched_yield();
	}
}

static void check_filled(const struct e4d_event *e)
{
	const uint64_t *p = (const uint64_t *)(e + 1);

	for (size_t i = 0; i + 2 < e->size / 8u; i++)
		assert_int_equal(p[i], e->timestamp);
}

/* Number n of this writer; every fifth takes two slots. */
static bool put(uint64_t writer, uint64_t n)
{
	uint32_t need = n % 5 ? 1 : 2;
	struct ring_at at;

	if (!ring_reserve(&at, 0, need))
		return false;
	at.event->timestamp = n << 8 | writer;
	fill(at.event + 1, need * E4D_FLIGHT_SLOT - sizeof(*at.event), n << 8 | writer);
	ring_commit(&at, need, need == 1 ? E4D_EV_INSIDE : E4D_EV_WRITE);
	return true;
}

static _Atomic int running;

static void *writer(void *arg)
{
	uint64_t dropped = 0, me = (uintptr_t)arg;

	for (uint64_t n = 1; n <= EVENTS; n++)
		dropped += !put(me, n);
	running--;
	return (void *)(uintptr_t)dropped;
}

static void start(pthread_t *t)
{
	running = WRITERS;
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, writer, (void *)i), 0);
}

static uint64_t join(pthread_t *t)
{
	uint64_t dropped = 0;
	void *ret;

	for (int i = 0; i < WRITERS; i++) {
		pthread_join(t[i], &ret);
		dropped += (uintptr_t)ret;
	}
	return dropped;
}

struct got {
	uint64_t n;
	uint64_t last[WRITERS]; /* their numbers only grow */
};

static int take(void *ctx, const struct e4d_event *e, size_t n)
{
	struct got *g = ctx;

	for (size_t i = 0; i < n; i++) {
		const struct e4d_event *one = (const void *)((const char *)e + i * E4D_FLIGHT_SLOT);
		uint64_t w = one->timestamp & 0xff;

		check_filled(one);
		assert_true(w < WRITERS && one->timestamp >> 8 > g->last[w]);
		g->last[w] = one->timestamp >> 8;
		g->n++;
	}
	return 0;
}

/* Nothing is overwritten: written = read + dropped, each once and in its writer's order. */
static void test_all_or_counted(void **state)
{
	struct got got = {0};
	pthread_t t[WRITERS];
	uint64_t dropped, n = 0;

	(void)state;
	open_ring(16, false);
	start(t);
	while (running)
		assert_int_equal(e4d_ring_read(&ring, UINT64_MAX, true, take, &got, &n), 0);
	dropped = join(t);
	assert_int_equal(e4d_ring_read(&ring, UINT64_MAX, true, take, &got, &n), 0);
	assert_int_equal(got.n, n);
	assert_int_equal(n + dropped, WRITERS * EVENTS);
	assert_true(n > 0);
	assert_int_equal(e4d_ring_waiting(&ring), 0);
	e4d_ring_close(&ring);
}

/* Two pages of events, the first of them read: how many are in the second. */
static uint64_t second_page(struct got *got, uint64_t *n)
{
	uint64_t put_n = 0;

	open_ring(4, false);
	while (shared.ring[0].cursor >> 16 < 2)
		assert_true(put(0, ++put_n));
	while (ring.at[0].page < 1)
		assert_int_equal(e4d_ring_read(&ring, put_n / 2 << 8, true, take, got, n), 0);
	return put_n - *n;
}

/*
 * A reader that looked at a page, slept while it was opened and filled, and finds the
 * cursor beyond: the page it saw is one that nobody has opened.
 */
static void test_reader_sleeps(void **state)
{
	struct got got = {0};
	uint64_t n = 0, left, opened;

	(void)state;
	left = second_page(&got, &n);
	assert_true(left > E4D_FLIGHT_SLOTS / 2);
	opened = ring_page(0, 1)->state;
	ring_page(0, 1)->state = 0;
	assert_int_equal(e4d_ring_read(&ring, UINT64_MAX, true, take, &got, &n), 0);
	ring_page(0, 1)->state = opened;
	left += n;
	assert_int_equal(e4d_ring_read(&ring, UINT64_MAX, true, take, &got, &n), 0);
	assert_int_equal(n, got.n);
	assert_int_equal(e4d_ring_waiting(&ring), 0);
	assert_int_equal(n, got.last[0]); /* each that was put */
	e4d_ring_close(&ring);
}

/* A writer that sleeps between its event and the count of it: its page is not free. */
static void test_writer_sleeps_at_the_end(void **state)
{
	struct got got = {0};
	uint64_t n = 0, puts = 0;

	(void)state;
	open_ring(4, false);
	for (; !(shared.ring[0].cursor >> 16); puts++)
		assert_true(put(0, 5 * puts + 1)); /* a slot each: no gap at the end */
	ring_page(0, 0)->state--;
	assert_int_equal(e4d_ring_read(&ring, UINT64_MAX, true, take, &got, &n), 0);
	assert_int_equal(shared.ring[0].released, 0);
	ring_page(0, 0)->state++;
	assert_int_equal(e4d_ring_read(&ring, UINT64_MAX, true, take, &got, &n), 0);
	assert_int_equal(shared.ring[0].released, 1);
	assert_int_equal(n, puts);
	e4d_ring_close(&ring);
}

/* Nobody reads: it fills, says so, and goes on when it is read. */
static void test_full(void **state)
{
	struct got got = {0};
	uint64_t kept = 0, n = 0;

	(void)state;
	open_ring(4, false);
	for (uint64_t i = 1; i <= 1000; i++)
		kept += put(0, i);
	assert_true(kept < 4 * E4D_FLIGHT_SLOTS && kept > 3 * E4D_FLIGHT_SLOTS / 2);
	assert_int_equal(e4d_ring_read(&ring, UINT64_MAX, true, take, &got, &n), 0);
	assert_int_equal(n, kept);
	assert_true(put(0, 1001));
	assert_int_equal(e4d_ring_read(&ring, UINT64_MAX, true, take, &got, &n), 0);
	assert_int_equal(n, kept + 1);
	e4d_ring_close(&ring);
}

static int count_one(void *ctx, const struct e4d_event *e)
{
	check_filled(e);
	++*(uint64_t *)ctx;
	return 0;
}

/* What copies show meanwhile is whole, and at the end the ring has the last of it. */
static void test_overwritten(void **state)
{
	struct e4d_flight_page copy;
	struct e4d_flight_info info;
	pthread_t t[WRITERS];
	uint64_t seen = 0, kept = 0;

	(void)state;
	open_ring(8, true);
	start(t);
	while (running)
		for (uint32_t i = 0; i < 8; i++)
			if (!e4d_flight_page_copy(&pages[i], &copy))
				assert_int_equal(e4d_flight_page_scan(&copy, count_one, &seen), 0);
	/* dropped only if all the others' pages are kept by writers that sleep */
	assert_true(join(t) < EVENTS / 10);
	assert_true(seen > 0);
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(e4d_flight_page_info(&pages[i], ring.uuid, &info), 0);
		assert_int_equal(e4d_flight_page_scan(&pages[i], count_one, &kept), 0);
	}
	assert_in_range(kept, 7 * E4D_FLIGHT_SLOTS / 2, 8 * E4D_FLIGHT_SLOTS);
	e4d_ring_close(&ring);
}

/* A writer that sleeps within an event keeps its page, and only that. */
static void test_sleeper(void **state)
{
	struct ring_at slept = {0};
	struct e4d_flight_page copy;
	uint64_t n = 0;

	(void)state;
	open_ring(4, true);
	assert_true(ring_reserve(&slept, 0, 1));
	fill(slept.event + 1, 40, 7);
	for (uint64_t i = 1; i <= 2000; i++)
		assert_true(put(0, i));
	assert_int_equal(slept.page->state >> 8, 0);
	assert_int_equal(e4d_flight_page_copy(slept.page, &copy), 0);
	assert_int_equal(e4d_flight_page_scan(&copy, count_one, &n), 0);
	assert_in_range(n, 30, E4D_FLIGHT_SLOTS - 1); /* its own is not there */
	slept.event->timestamp = 7;
	fill(slept.event + 1, E4D_FLIGHT_SLOT - sizeof(*slept.event), 7);
	ring_commit(&slept, 1, E4D_EV_INSIDE);
	for (uint64_t i = 2001; i <= 3000; i++)
		assert_true(put(0, i));
	assert_true(slept.page->state >> 8 > 40);
	e4d_ring_close(&ring);
}

/* Writes that user space settled lie in pages of their own, and go on after another process. */
static void test_settled(void **state)
{
	struct e4d_record rec = {.seq = 1};
	struct e4d_flight_info info;
	uint64_t last = 0;

	(void)state;
	open_ring(4, true);
	for (rec.seq = 1; rec.seq <= 500; rec.seq++)
		e4d_ring_put(&ring, &rec, rec.seq);
	for (uint32_t i = 1; i < E4D_FLIGHT_USER; i++) {
		const struct e4d_flight_page *p = e4d_ring_user(&ring) + i;
		const struct e4d_event *e;

		assert_int_equal(e4d_flight_page_info(p, ring.uuid, &info), 0);
		assert_int_equal(info.stream, E4D_STREAM_SETTLED);
		for (uint32_t slot = 0; slot < E4D_FLIGHT_SLOTS; slot += 2) {
			e = e4d_flight_event(p, info.number, slot);
			if (e && e->timestamp > last)
				last = e->timestamp;
		}
	}
	assert_int_equal(last, 500);
	e4d_ring_close(&ring);
}

/* Several CPUs: in the order of time, and only what ended until then. */
static int in_order(void *ctx, const struct e4d_event *e, size_t n)
{
	uint64_t *last = ctx;

	for (size_t i = 0; i < n; i++) {
		const struct e4d_event *one = (const void *)((const char *)e + i * E4D_FLIGHT_SLOT);

		assert_true(one->timestamp >= *last);
		*last = one->timestamp;
	}
	return 0;
}

static void test_rows_in_order(void **state)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	uint64_t last = 0, n = 0;

	(void)state;
	memset(&shared, 0, sizeof(shared));
	assert_int_equal(ftruncate(fd, (off_t)(4 * 4 + E4D_FLIGHT_USER) * E4D_FLIGHT_PAGE), 0);
	assert_int_equal(e4d_ring_open(&ring, fd, &shared, 4, 4, false), 0);
	close(fd);
	cfg.overwrite = false;
	cfg.ring_rows = 1;
	cfg.ring_pages = 4;
	/* row by row, as put() takes row 0 */
	for (uint32_t row = 0; row < 4; row++) {
		struct e4d_ring_row was = shared.ring[0];

		pages = ring.pages + row * 4;
		shared.ring[0] = (struct e4d_ring_row){0};
		for (uint64_t i = 1; i <= 100; i++)
			assert_true(put(0, (i * 7 + row) * (i < 100 ? 1 : 2)));
		if (row) {
			shared.ring[row] = shared.ring[0];
			shared.ring[0] = was;
		}
	}
	assert_int_equal(e4d_ring_read(&ring, 300 << 8, true, in_order, &last, &n), 0);
	assert_true(last <= 300 << 8 && n > 150 && n < 180);
	assert_int_equal(e4d_ring_read(&ring, UINT64_MAX, true, in_order, &last, &n), 0);
	assert_int_equal(n, 400);
	e4d_ring_close(&ring);
}

static void test_shape(void **state)
{
	uint32_t rows, row_pages;

	(void)state;
	e4d_ring_shape(4 << 20, 2, &rows, &row_pages);
	assert_int_equal(rows, 2);
	assert_int_equal(row_pages, 512);
	e4d_ring_shape(4 << 20, 256, &rows, &row_pages);
	assert_int_equal(rows, 16);
	assert_int_equal(row_pages, 64);
	e4d_ring_shape(64 << 20, 3, &rows, &row_pages);
	assert_int_equal(rows, 4);
	e4d_ring_shape(1 << 30, 5000, &rows, &row_pages);
	assert_int_equal(rows, E4D_ROWS);
	e4d_ring_shape(4 * 4096, 8, &rows, &row_pages);
	assert_int_equal(rows, 1);
	assert_int_equal(row_pages, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_or_counted),
		cmocka_unit_test(test_reader_sleeps),
		cmocka_unit_test(test_writer_sleeps_at_the_end),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_overwritten),
		cmocka_unit_test(test_sleeper),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_rows_in_order),
		cmocka_unit_test(test_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
