/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Salvage: every whole packet, once and in order, whatever it lies in; and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "flight.h"
#include "trace/reader.h"
#include "trace/salvage.h"
#include "traces.h"

static char root[64], in[96], out[96];
static struct test_packet packet;
static uint8_t bytes[4 << 20];

/* Packets of 5 writes of CPU 0, one after the other: put_inside() of seq * 5 to seq * 5 + 4. */
static size_t make(uint8_t *buf, uint8_t trace, uint64_t seq, unsigned int packets)
{
	size_t len = 0, size;

	for (unsigned int n = 0; n < packets; n++, seq++) {
		packet_begin(&packet, trace, 0, seq);
		for (unsigned int k = 0; k < 5; k++)
			put_inside(&packet, 0, seq * 5 + k);
		size = packet_seal(&packet);
		memcpy(buf + len, packet.bytes, size);
		len += size;
	}
	return len;
}

static size_t make_session(uint8_t *buf, uint8_t trace, const char *host)
{
	struct e4d_ev_session s = {.real_minus_boot_ns = 5000, .major = 1};
	size_t size;

	strcpy(s.host, host);
	packet_begin(&packet, trace, E4D_STREAM_SESSION, 0);
	packet_event(&packet, 900, E4D_EV_SESSION, &s.real_minus_boot_ns, sizeof(s) - 16);
	packet_event(&packet, 901, E4D_EV_END, NULL, 0);
	size = packet_seal(&packet);
	memcpy(buf, packet.bytes, size);
	return size;
}

static struct e4d_salvage *salvage(const char *path)
{
	struct e4d_salvage *s;
	char why[1024];
	int err;

	if (e4d_salvage_open(&s, out, NULL, NULL, why, sizeof(why)))
		fail_msg("open: %s", why);
	err = e4d_salvage_scan(s, path, why, sizeof(why));
	if (!err)
		err = e4d_salvage_write(s, why, sizeof(why));
	if (err)
		fail_msg("%s: %d %s", path, err, why);
	return s;
}

static void unlink_out(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", out, name);
	unlink(path);
}

/* The dump in dir has exactly the writes for which has() is true, of `packets` packets of 5. */
static void assert_dump(const char *dir, const bool *whole, unsigned int packets, size_t at)
{
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;
	char why[256];
	unsigned int n = 0;

	for (unsigned int p = 0; p < packets; p++)
		n += whole[p];
	if (!n)
		return;
	if (e4d_trace_open(&r, &dir, 1, why, sizeof(why)))
		fail_msg("at %zu: %s", at, why);
	for (unsigned int p = 0; p < packets; p++)
		for (unsigned int k = 0; whole[p] && k < 5; k++) {
			uint64_t i = p * 5 + k;

			if (e4d_trace_next(r, &w) != 1)
				fail_msg("at %zu: write %u of packet %u is not there", at, k, p);
			if (w.rec->seq != i * 100 || w.rec->offset != i * 4096 ||
			    w.end_ns != 1000 + i * 10 || w.rec->ts_ns != 990 + i * 9)
				fail_msg("at %zu: write %u of packet %u is another", at, k, p);
		}
	if (e4d_trace_next(r, &w))
		fail_msg("at %zu: a write that nobody wrote", at);
	assert_int_equal(e4d_trace_host(r, 0)->bad_packets, 0);
	e4d_trace_close(r);
}

static void check_bytes(size_t len, const bool *whole, unsigned int packets, size_t at)
{
	struct e4d_salvage *s;

	put_file(root, "in", bytes, len);
	s = salvage(in);
	assert_dump(out, whole, packets, at);
	e4d_salvage_close(s);
	unlink_out("metadata");
	unlink_out("cpu0-000000");
	assert_int_equal(rmdir(out), 0);
}

static void test_truncated_at_each_byte(void **state)
{
	size_t len = make(bytes, 1, 0, 2);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		bool whole[2] = {cut >= 4096, cut >= 8192};

		check_bytes(cut, whole, 2, cut);
	}
}

static void test_each_byte_flipped(void **state)
{
	size_t len = make(bytes, 1, 0, 2);

	(void)state;
	for (size_t at = 0; at < len; at++) {
		bool whole[2] = {at >= 4096, at < 4096};
		uint8_t bit = (uint8_t)(1 << at * 7 % 8);

		bytes[at] ^= bit;
		check_bytes(len, whole, 2, at);
		bytes[at] ^= bit;
	}
}

/* Anywhere in anything, in any order, more than once. */
static void test_in_a_haystack(void **state)
{
	static const unsigned int order[] = {4, 0, 2, 9, 2, 1, 0};
	bool whole[10] = {[0] = true, [1] = true, [2] = true, [4] = true, [9] = true};
	const struct e4d_salvage_stream *streams;
	struct e4d_salvage *s;
	uint64_t x = 1;
	size_t at = 0, n;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		bytes[i] = (uint8_t)(x >> 56);
	}
	for (size_t i = 0; i < 7; i++) {
		at += 300001 + i;
		make(bytes + at, 1, order[i], 1);
	}
	/* half of one, and one whose end is there and whose middle is not */
	make(bytes + at + 10000, 1, 5, 1);
	memset(bytes + at + 10000 + 2048, 0, 2048);
	make(bytes + at + 20000, 1, 6, 1);
	bytes[at + 20000 + 2000] ^= 1;
	put_file(root, "in", bytes, sizeof(bytes));
	s = salvage(in);
	assert_dump(out, whole, 10, 0);
	streams = e4d_salvage_streams(s, &n);
	assert_int_equal(n, 1);
	assert_int_equal(streams->packets, 5);
	assert_int_equal(streams->events, 25);
	assert_int_equal(streams->missing, 5);
	assert_int_equal(streams->gaps, 2);
	assert_int_equal(streams->gap[0].from, 3);
	assert_int_equal(streams->gap[0].to, 3);
	assert_int_equal(streams->gap[1].from, 5);
	assert_int_equal(streams->gap[1].to, 8);
	assert_int_equal(e4d_salvage_sum(s)->copies, 2);
	assert_int_equal(e4d_salvage_sum(s)->bad[E4D_PACKET_TORN], 1);
	assert_int_equal(e4d_salvage_sum(s)->bad[E4D_PACKET_CRC], 1);
	e4d_salvage_close(s);
}

static void test_two_traces(void **state)
{
	const bool whole[3] = {true, true, true};
	const struct e4d_salvage_stream *streams;
	struct e4d_salvage *s;
	size_t len, n;

	(void)state;
	len = make(bytes, 1, 0, 3);
	len += make_session(bytes + len, 2, "b");
	len += make(bytes + len, 2, 0, 3);
	len += make_session(bytes + len, 1, "a");
	put_file(root, "in", bytes, len);
	s = salvage(in);
	streams = e4d_salvage_streams(s, &n);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		assert_true(streams[i].trace->has_session);
		assert_int_equal(streams[i].packets, i % 2 ? 1 : 3);
		assert_string_equal(streams[i].trace->session.host, i < 2 ? "a" : "b");
		assert_dump(streams[i].trace->dir, whole, 3, i);
	}
	e4d_salvage_close(s);
}

/* A page of the flight ring as the kernel leaves it; slots whose bit is not in `whole` are torn. */
static void make_page(uint8_t *buf, uint32_t row, uint64_t number, uint64_t whole)
{
	struct e4d_flight_page *f = (void *)buf;

	memset(f, 0, sizeof(*f));
	f->head.magic = E4D_PACKET_MAGIC;
	memset(f->head.uuid, 1, 16);
	f->head.packet_size = 8 * E4D_FLIGHT_PAGE;
	f->head.stream_instance_id = row;
	f->magic = E4D_FLIGHT_MAGIC;
	f->major = E4D_FLIGHT_MAJOR;
	f->rows = 2;
	f->pages = 64;
	f->state = number << 8 | E4D_FLIGHT_SLOTS;
	for (unsigned int i = 0; i < E4D_FLIGHT_SLOTS; i++) {
		struct e4d_event *e = (void *)f->slot[i];

		packet_begin(&packet, 1, row, 0);
		put_inside(&packet, row, number * E4D_FLIGHT_SLOTS + i);
		memcpy(e, packet.bytes + 80, E4D_FLIGHT_SLOT);
		e->reserved = whole >> i & 1 ? e4d_flight_mark(number, i) : 0;
	}
}

/* Pages lie anywhere; one is there twice, one has a lap of before in it. */
static void test_flight_pages(void **state)
{
	const uint64_t all = (1ULL << E4D_FLIGHT_SLOTS) - 1, some = 0x155;
	const struct e4d_salvage_stream *streams;
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;
	const char *dir = out;
	struct e4d_salvage *s;
	char why[256];
	size_t n;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	make_page(bytes + 5 * 4096, 0, 7, some);
	make_page(bytes + 9 * 4096, 0, 6, all);
	make_page(bytes + 20 * 4096, 0, 4, all);
	make_page(bytes + 30 * 4096, 0, 4, some);
	make_session(bytes + 40 * 4096, 1, "vm");
	((struct e4d_flight_page *)(bytes + 50 * 4096))->head.magic = E4D_PACKET_MAGIC;
	put_file(root, "in", bytes, 64 * 4096);
	s = salvage(in);
	streams = e4d_salvage_streams(s, &n);
	assert_int_equal(n, 2);
	assert_int_equal(streams->instance, 0);
	assert_int_equal(streams->packets, 3);
	assert_int_equal(streams->pages, 3);
	assert_int_equal(streams->first, 4);
	assert_int_equal(streams->missing, 1);
	assert_int_equal(streams->events, 41 + 41 + 5);
	assert_int_equal(e4d_trace_open(&r, &dir, 1, why, sizeof(why)), 0);
	for (uint64_t i = 4 * 41; i < 8 * 41; i++) {
		if (i / 41 == 5 || (i / 41 == 7 && !(some >> i % 41 & 1)))
			continue;
		assert_int_equal(e4d_trace_next(r, &w), 1);
		assert_int_equal(w.rec->seq, i * 100);
		assert_int_equal(w.rec->ts_ns, 990 + i * 9);
	}
	assert_int_equal(e4d_trace_next(r, &w), 0);
	assert_string_equal(e4d_trace_host(r, 0)->host, "vm");
	assert_int_equal(e4d_trace_host(r, 0)->missing_packets, 1);
	e4d_trace_close(r);
	e4d_salvage_close(s);
}

/* Wherever in a file they lie: no buffer's end may hide one. */
static void test_flight_pages_at_any_offset(void **state)
{
	const struct e4d_salvage_stream *streams;
	struct e4d_salvage *s;
	size_t n, count = 0, at = 3;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	for (; at + 8192 < sizeof(bytes); at += 4096 + count++ % 61) {
		static uint8_t page[4096];

		make_page(page, 1, count, 1);
		memcpy(bytes + at, page, 4096);
	}
	put_file(root, "in", bytes, sizeof(bytes));
	s = salvage(in);
	streams = e4d_salvage_streams(s, &n);
	assert_int_equal(n, 1);
	assert_int_equal(streams->packets, count);
	assert_int_equal(streams->missing, 0);
	e4d_salvage_close(s);
}

/* CPUs that share a row end their writes out of order: no clock goes back, no write changes. */
static void test_flight_out_of_order(void **state)
{
	struct e4d_flight_page *second = (void *)(bytes + 4096);
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;
	const char *dir = out;
	bool seen[82] = {false};
	uint64_t last = 0;
	char why[256];

	(void)state;
	make_page(bytes, 0, 0, (1ULL << 41) - 1);
	make_page(bytes + 4096, 0, 1, (1ULL << 41) - 1);
	((struct e4d_event *)second->slot[3])->timestamp -= 3000;
	put_file(root, "in", bytes, 8192);
	e4d_salvage_close(salvage(in));
	assert_int_equal(e4d_trace_open(&r, &dir, 1, why, sizeof(why)), 0);
	while (e4d_trace_next(r, &w)) {
		uint64_t i = w.rec->seq / 100;

		assert_in_range(i, 0, 81);
		assert_false(seen[i]);
		seen[i] = true;
		assert_true(w.end_ns >= last);
		last = w.end_ns;
		assert_int_equal(w.rec->latency_ns, 10 + i);
		if (i != 44)
			assert_int_equal(w.rec->ts_ns, 990 + i * 9);
	}
	for (unsigned int i = 0; i < 82; i++)
		assert_true(seen[i]);
	e4d_trace_close(r);
}

static void test_what_cannot_be(void **state)
{
	struct e4d_salvage *s;
	char why[1024];

	(void)state;
	put_file(out, "there", "x", 1);
	assert_int_equal(e4d_salvage_open(&s, out, NULL, NULL, why, sizeof(why)), -EEXIST);
	unlink_out("there");
	assert_int_equal(e4d_salvage_open(&s, out, NULL, NULL, why, sizeof(why)), 0);
	assert_int_equal(e4d_salvage_scan(s, "/dev/null", why, sizeof(why)), -EINVAL);
	assert_int_equal(e4d_salvage_scan(s, "/no/such", why, sizeof(why)), -ENOENT);
	put_file(root, "in", "", 0);
	assert_int_equal(e4d_salvage_scan(s, in, why, sizeof(why)), 0);
	assert_int_equal(e4d_salvage_write(s, why, sizeof(why)), 0);
	assert_int_equal(e4d_salvage_sum(s)->packets, 0);
	e4d_salvage_close(s);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/dev/shm/e4d-salvage.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(in, sizeof(in), "%s/in", root);
	snprintf(out, sizeof(out), "%s/out", root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	remove_dir(root);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_truncated_at_each_byte), TEST(test_each_byte_flipped),
		TEST(test_in_a_haystack),          TEST(test_two_traces),
		TEST(test_flight_pages),           TEST(test_flight_pages_at_any_offset),
		TEST(test_flight_out_of_order),    TEST(test_what_cannot_be),
	};

	return cmocka_run_group_tests_name("salvage", tests, NULL, NULL);
}
