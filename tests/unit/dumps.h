/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the tests of the reader share: dumps of writes that put_inside() made, and what must come of
 * them. */
#ifndef E4D_TEST_DUMPS_H
#define E4D_TEST_DUMPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "trace/reader.h"
#include "traces.h"

#define REAL 1700000000000000000ULL

static char root[] = "/dev/shm/e4d-reader.XXXXXX", dir[64], dir2[64];
static struct test_packet packet;
static uint8_t bytes[8 << 20];

static inline void session_events(struct test_packet *p, const char *host, uint64_t real)
{
	struct e4d_ev_session s = {.real_minus_boot_ns = real, .major = 1, .tier = E4D_TIER_FENTRY};
	struct e4d_ev_counters c = {.writes = 5, .submitted = 20480};
	char file[64] = {0};
	uint64_t count = 3;

	snprintf(s.host, sizeof(s.host), "%s", host);
	strcpy(s.kernel, "6.12");
	strcpy(s.program, "ext4diotop test");
	strcpy(s.options, "--all");
	packet_event(p, 900, E4D_EV_SESSION, &s.real_minus_boot_ns, sizeof(s) - 16);
	memcpy(file, &(uint64_t){12}, 8);
	memcpy(file + 8, &(uint32_t){8}, 4);
	memcpy(file + 12, &(uint32_t){7}, 4);
	strcpy(file + 16, "/mnt/old");
	packet_event(p, 901, E4D_EV_FILE, file, 16 + 9);
	strcpy(file + 16, "/mnt/data");
	packet_event(p, 902, E4D_EV_FILE, file, 16 + 10);
	memcpy(file, &count, 8);
	strcpy(file + 8, "ring");
	packet_event(p, 903, E4D_EV_LOSS, file, 8 + 5);
	memcpy(file, &(uint64_t){5}, 8);
	packet_event(p, 904, E4D_EV_LOSS, file, 8 + 5);
	packet_event(p, 905, E4D_EV_MARK, "begin", 6);
	packet_event(p, 906, E4D_EV_COUNTERS, &c.writes, sizeof(c) - 16);
}

static inline void put_session(const char *to, uint8_t trace, const char *host, uint64_t real,
                               bool end)
{
	packet_begin(&packet, trace, E4D_STREAM_SESSION, 0);
	packet.head.events_discarded = 4;
	session_events(&packet, host, real);
	if (end)
		packet_event(&packet, 907, E4D_EV_END, NULL, 0);
	put_file(to, "session-000000", packet.bytes, packet_seal(&packet));
}

/* Packets of `each` writes of a CPU, from write i on, one after the other in buf. */
static inline size_t make_cpu(uint8_t *buf, uint8_t trace, unsigned int cpu, uint64_t seq,
                              unsigned int packets, unsigned int each, uint64_t i)
{
	size_t len = 0;

	for (unsigned int n = 0; n < packets; n++) {
		size_t size;

		packet_begin(&packet, trace, cpu, seq++);
		for (unsigned int k = 0; k < each; k++)
			put_inside(&packet, cpu, i++);
		size = packet_seal(&packet);
		memcpy(buf + len, packet.bytes, size);
		len += size;
	}
	return len;
}

static inline struct e4d_trace_reader *open_ok(const char *const *dirs, unsigned int n)
{
	struct e4d_trace_reader *r;
	char why[256];
	int err = e4d_trace_open(&r, dirs, n, why, sizeof(why));

	if (err)
		fail_msg("open: %d %s", err, why);
	return r;
}

static inline struct e4d_trace_reader *open_dir(void)
{
	const char *d = dir;

	return open_ok(&d, 1);
}

/* Exactly what put_inside() made of i on that CPU. */
static inline void assert_inside(const struct e4d_trace_write *w, unsigned int cpu, uint64_t i)
{
	const struct e4d_record *r = w->rec;

	assert_int_equal(w->end_ns, 1000 + i * 10 + cpu);
	assert_int_equal(r->ts_ns, w->end_ns - (10 + i));
	assert_int_equal(r->seq, i * 100 + cpu);
	assert_int_equal(r->cpu, cpu);
	assert_int_equal(r->offset, i * 4096);
	assert_int_equal(r->latency_ns, 10 + i);
	assert_int_equal(r->submitted, 4096);
	assert_int_equal(r->ret, 4096);
	assert_int_equal(r->mapped, 8192);
	assert_int_equal(r->mapped_end, i * 4096 + 8192);
	assert_int_equal(r->isize_after, 1u << 30);
	assert_int_equal(r->ino, 12 + i % 3);
	assert_int_equal(r->verdict, E4D_CLEAN);
	assert_int_equal(r->tier, E4D_TIER_FENTRY);
	assert_string_equal(r->comm, "fio");
}

/*
 * Reads the dump of one CPU whose packets hold `each` writes: true for each packet in
 * `whole` that came, and nothing else came.
 */
static inline void assert_packets(const bool *whole, unsigned int packets, unsigned int each,
                                  const char *what, size_t at)
{
	struct e4d_trace_reader *r;
	const char *d = dir;
	struct e4d_trace_write w;
	char why[256];
	int err = e4d_trace_open(&r, &d, 1, why, sizeof(why));

	if (err)
		fail_msg("%s %zu: %d %s", what, at, err, why);
	for (unsigned int p = 0; p < packets; p++)
		for (unsigned int i = 0; whole[p] && i < each; i++) {
			if (e4d_trace_next(r, &w) != 1 || w.rec->seq != (p * each + i) * 100)
				fail_msg("%s %zu: packet %u, write %u", what, at, p, i);
			assert_inside(&w, 0, p * each + i);
		}
	if (e4d_trace_next(r, &w))
		fail_msg("%s %zu: a write that nobody wrote", what, at);
	e4d_trace_close(r);
}

static inline int setup(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(dir, sizeof(dir), "%s/a", root);
	snprintf(dir2, sizeof(dir2), "%s/b", root);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	remove_dir(root);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
