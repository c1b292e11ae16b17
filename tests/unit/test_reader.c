/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The reader against files made by hand: all that is whole comes, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/resource.h>
#include <zstd.h>
#include "trace/reader.h"
#include "traces.h"

#define REAL 1700000000000000000ULL

static char root[] = "/dev/shm/e4d-reader.XXXXXX", dir[64], dir2[64];
static struct test_packet packet;

static void session_events(struct test_packet *p, const char *host, uint64_t real)
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

static void put_session(const char *to, uint8_t trace, const char *host, uint64_t real, bool end)
{
	packet_begin(&packet, trace, E4D_STREAM_SESSION, 0);
	packet.head.events_discarded = 4;
	session_events(&packet, host, real);
	if (end)
		packet_event(&packet, 907, E4D_EV_END, NULL, 0);
	put_file(to, "session-000000", packet.bytes, packet_seal(&packet));
}

/* Packets of `each` writes of a CPU, from write i on, one after the other in buf. */
static size_t make_cpu(uint8_t *buf, uint8_t trace, unsigned int cpu, uint64_t seq,
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

static uint8_t bytes[8 << 20];

static struct e4d_trace_reader *open_ok(const char *const *dirs, unsigned int n)
{
	struct e4d_trace_reader *r;
	char why[256];
	int err = e4d_trace_open(&r, dirs, n, why, sizeof(why));

	if (err)
		fail_msg("open: %d %s", err, why);
	return r;
}

static struct e4d_trace_reader *open_dir(void)
{
	const char *d = dir;

	return open_ok(&d, 1);
}

static void open_fails(int want, const char *text)
{
	const char *d = dir;
	struct e4d_trace_reader *r;
	char why[256];

	assert_int_equal(e4d_trace_open(&r, &d, 1, why, sizeof(why)), want);
	assert_null(r);
	if (!strstr(why, text))
		fail_msg("expected '%s', got '%s'", text, why);
}

/* Exactly what put_inside() made of i on that CPU. */
static void assert_inside(const struct e4d_trace_write *w, unsigned int cpu, uint64_t i)
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

static uint64_t losses;

static void on_loss(void *ctx, unsigned int host, const char *name, uint64_t n)
{
	(void)ctx;
	assert_int_equal(host, 0);
	assert_string_equal(name, "ring");
	losses = n;
}

static void on_mark(void *ctx, unsigned int host, uint64_t ns, const char *text)
{
	(void)host;
	assert_int_equal(ns, 905);
	assert_string_equal(text, "begin");
	++*(int *)ctx;
}

static void test_all_of_it(void **state)
{
	struct e4d_trace_reader *r;
	const struct e4d_trace_host *h;
	struct e4d_trace_write w;
	uint64_t first, last;
	int marks = 0;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		char name[32];

		snprintf(name, sizeof(name), "cpu%u-000000", cpu);
		put_file(dir, name, bytes, make_cpu(bytes, 1, cpu, 0, 2, 20, 0));
		snprintf(name, sizeof(name), "cpu%u-000001", cpu);
		put_file(dir, name, bytes, make_cpu(bytes, 1, cpu, 2, 1, 20, 40));
	}
	r = open_dir();
	for (uint64_t i = 0; i < 60; i++)
		for (unsigned int cpu = 0; cpu < 3; cpu++) {
			assert_int_equal(e4d_trace_next(r, &w), 1);
			assert_inside(&w, cpu, i);
			if (i % 3)
				assert_null(w.path);
			else
				assert_string_equal(w.path, "/mnt/data");
		}
	assert_int_equal(e4d_trace_next(r, &w), 0);
	assert_int_equal(e4d_trace_next(r, &w), 0);
	assert_int_equal(e4d_trace_hosts(r), 1);
	h = e4d_trace_host(r, 0);
	assert_string_equal(h->host, "vm");
	assert_string_equal(h->kernel, "6.12");
	assert_string_equal(h->options, "--all");
	assert_int_equal(h->packets, 10);
	assert_int_equal(h->bad_packets + h->bad_bytes + h->missing_packets, 0);
	assert_int_equal(h->discarded, 4);
	assert_int_equal(h->last.writes, 5);
	assert_false(h->no_end);
	e4d_trace_losses(r, on_loss, NULL);
	assert_int_equal(losses, 5);
	e4d_trace_marks(r, on_mark, &marks);
	assert_int_equal(marks, 1);
	e4d_trace_span(r, &first, &last);
	assert_int_equal(first, REAL + 1000);
	assert_int_equal(last, REAL + 1000 + 59 * 10 + 2);
	e4d_trace_close(r);
}

/* Each point in time, and those between: what comes first is what a walk finds. */
static void test_seek(void **state)
{
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	for (unsigned int f = 0; f < 7; f++) {
		char name[32];

		snprintf(name, sizeof(name), "cpu1-%06u", f);
		put_file(dir, name, bytes,
		         f == 3 ? 0 : make_cpu(bytes, 1, 1, 3 * f, 3, 10, 30 * f));
	}
	r = open_dir();
	for (uint64_t t = 990; t < 1000 + 2200; t += 3) {
		uint64_t i = t <= 1001 ? 0 : (t - 1001 + 9) / 10;

		if (i >= 90 && i < 120)
			i = 120;
		assert_int_equal(e4d_trace_seek(r, REAL + t), 0);
		assert_int_equal(e4d_trace_next(r, &w), i < 210);
		if (i < 210)
			assert_inside(&w, 1, i);
	}
	assert_int_equal(e4d_trace_seek(r, 0), 0);
	assert_int_equal(e4d_trace_next(r, &w), 1);
	assert_inside(&w, 1, 0);
	e4d_trace_close(r);
}

/*
 * Reads the dump of one CPU whose packets hold `each` writes: true for each packet in
 * `whole` that came, and nothing else came.
 */
static void assert_packets(const bool *whole, unsigned int packets, unsigned int each,
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

static void test_truncated_at_each_byte(void **state)
{
	size_t len = make_cpu(bytes, 1, 0, 0, 3, 5, 0);

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	for (size_t cut = 0; cut <= len; cut++) {
		bool whole[3] = {cut >= 4096, cut >= 8192, cut >= 12288};

		put_file(dir, "cpu0-000000", bytes, cut);
		assert_packets(whole, 3, 5, "cut", cut);
	}
}

static void test_each_byte_flipped(void **state)
{
	size_t len = make_cpu(bytes, 1, 0, 0, 3, 5, 0);
	unsigned int bit = 0;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	for (size_t at = 0; at < len; at++) {
		bool whole[3] = {at >= 4096, at / 4096 != 1, at < 8192};

		bit = (bit * 5 + 3) % 8;
		bytes[at] ^= (uint8_t)(1 << bit);
		put_file(dir, "cpu0-000000", bytes, len);
		assert_packets(whole, 3, 5, "flip", at);
		bytes[at] ^= (uint8_t)(1 << bit);
	}
}

/* Bytes that went, or came: the rest is found where it lies. */
static void test_shifted(void **state)
{
	static uint8_t other[64 << 10];
	size_t len = make_cpu(bytes, 1, 0, 0, 3, 5, 0);
	const bool without[3] = {true, false, true}, all[3] = {true, true, true};

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	for (size_t n = 1; n < 64; n++) {
		memcpy(other, bytes, 5000);
		memcpy(other + 5000, bytes + 5000 + n, len - 5000 - n);
		put_file(dir, "cpu0-000000", other, len - n);
		assert_packets(without, 3, 5, "taken out", n);
		memcpy(other, bytes, 4096);
		memset(other + 4096, 0xc1, n);
		memcpy(other + 4096 + n, bytes + 4096, len - 4096);
		put_file(dir, "cpu0-000000", other, len + n);
		assert_packets(all, 3, 5, "put in", n);
	}
}

/* The CRC is right, what it covers is not: no event of the packet counts. */
static void test_forged(void **state)
{
	const bool none[1] = {false};

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	for (unsigned int kind = 0; kind < 15; kind++) {
		struct e4d_event *e;
		char text[24];
		size_t size;

		packet_begin(&packet, 1, kind == 14 ? 3 : 0, 0);
		put_inside(&packet, 0, 0);
		memset(text, 'x', sizeof(text));
		e = packet_event(&packet, 1010, kind == 5 ? E4D_EV_MARK : 77, text, sizeof(text));
		size = packet_seal(&packet);
		switch (kind) {
		case 0:
			e->size = 0;
			break;
		case 1:
			e->size = 8;
			break;
		case 2:
			e->size = 12;
			break;
		case 3:
			e->size = 48;
			break;
		case 4:
			e->timestamp = 999;
			break;
		case 6:
			e->timestamp = 1011;
			break;
		case 7:
			packet.head.content_size -= 64;
			break;
		case 8:
			packet.head.content_size = size * 8;
			break;
		case 9:
			packet.head.content_size = 8;
			break;
		case 10:
			packet.head.packet_size = 8192 * 8;
			break;
		case 11:
			packet.head.packet_size = 1;
			break;
		case 12:
			packet.head.uuid[3] = 9;
			break;
		case 13:
			((struct e4d_packet_end *)(packet.bytes + size - 16))->events++;
			break;
		}
		*(uint32_t *)(packet.bytes + size - 4) = slow_crc32c(packet.bytes, size - 4);
		put_file(dir, "cpu0-000000", packet.bytes, size);
		assert_packets(none, 1, 1, "forged", kind);
	}
}

static void test_newer(void **state)
{
	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	make_cpu(bytes, 1, 0, 0, 1, 5, 0);
	packet.major = 2;
	put_file(dir, "cpu0-000000", packet.bytes, packet_seal(&packet));
	open_fails(-EPROTO, "newer version");
}

/* A newer minor version: more events, and words that we have not. */
static void test_unknown_is_passed(void **state)
{
	struct e4d_ev_write wr;
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	packet_begin(&packet, 1, 0, 0);
	packet.minor = 9;
	put_inside(&packet, 0, 0);
	packet_event(&packet, 1005, 500, "new", 4);
	packet_event(&packet, 1006, E4D_EV_COUNT, NULL, 0);
	put_inside(&packet, 0, 1);
	memset(&wr, 0xff, sizeof(wr));
	packet_event(&packet, 1020, E4D_EV_WRITE, &wr.rec, sizeof(wr.rec));
	put_file(dir, "cpu0-000000", packet.bytes, packet_seal(&packet));
	r = open_dir();
	assert_int_equal(e4d_trace_next(r, &w), 1);
	assert_inside(&w, 0, 0);
	assert_int_equal(e4d_trace_next(r, &w), 1);
	assert_inside(&w, 0, 1);
	assert_int_equal(e4d_trace_next(r, &w), 1);
	assert_int_equal(w.rec->verdict, E4D_UNKNOWN);
	assert_int_equal(w.rec->tier, E4D_TIER_NONE);
	assert_in_range(w.rec->evidence, 0, E4D_EVIDENCE_COUNT - 1);
	assert_int_equal(w.rec->flags >> E4D_FLAG_COUNT, 0);
	assert_int_equal(w.rec->doubt >> E4D_DOUBT_COUNT, 0);
	assert_int_equal(w.rec->comm[15], 0);
	assert_int_equal(w.rec->ino, UINT64_MAX);
	assert_int_equal(e4d_trace_next(r, &w), 0);
	e4d_trace_close(r);
}

/* A copy of a packet, and one from the past, are no new writes. */
static void test_once_and_in_order(void **state)
{
	const bool all[3] = {true, true, true};
	size_t len = make_cpu(bytes, 1, 0, 0, 3, 5, 0);
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;

	(void)state;
	put_session(dir, 1, "vm", REAL, false);
	memcpy(bytes + len, bytes, len);
	put_file(dir, "cpu0-000000", bytes, 2 * len);
	assert_packets(all, 3, 5, "twice", 0);
	r = open_dir();
	while (e4d_trace_next(r, &w))
		;
	assert_int_equal(e4d_trace_host(r, 0)->bad_packets, 3);
	assert_int_equal(e4d_trace_host(r, 0)->bad_bytes, len);
	assert_true(e4d_trace_host(r, 0)->no_end);
	e4d_trace_close(r);
	make_cpu(bytes, 1, 0, 0, 1, 5, 0);
	make_cpu(bytes + 4096, 1, 0, 9, 1, 5, 5);
	put_file(dir, "cpu0-000000", bytes, 8192);
	r = open_dir();
	while (e4d_trace_next(r, &w))
		;
	assert_int_equal(e4d_trace_host(r, 0)->missing_packets, 8);
	assert_int_equal(e4d_trace_host(r, 0)->bad_packets, 0);
	e4d_trace_close(r);
}

static void test_hosts(void **state)
{
	const char *dirs[2] = {dir, dir2};
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;
	char why[256];

	(void)state;
	put_session(dir, 1, "a", REAL, true);
	put_session(dir2, 2, "b", REAL + 5, true);
	put_file(dir, "cpu0-000000", bytes, make_cpu(bytes, 1, 0, 0, 2, 10, 0));
	put_file(dir2, "cpu0-000000", bytes, make_cpu(bytes, 2, 0, 0, 2, 10, 0));
	r = open_ok(dirs, 2);
	for (unsigned int i = 0; i < 40; i++) {
		assert_int_equal(e4d_trace_next(r, &w), 1);
		assert_int_equal(w.host, i % 2);
		assert_inside(&w, 0, i / 2);
	}
	assert_int_equal(e4d_trace_next(r, &w), 0);
	assert_string_equal(e4d_trace_host(r, 1)->host, "b");
	e4d_trace_close(r);
	dirs[1] = dir;
	assert_int_equal(e4d_trace_open(&r, dirs, 2, why, sizeof(why)), -EEXIST);
}

static void test_nothing_there(void **state)
{
	(void)state;
	open_fails(-ENOENT, "no trace dump");
	put_file(dir, "metadata", "x", 1);
	open_fails(-ENOENT, "no trace dump");
	put_file(dir, "cpu0-000000", "x", 1);
	open_fails(-ENODATA, "salvage");
	strcat(dir, "/metadata");
	open_fails(-ENOTDIR, "salvage");
	dir[strlen(dir) - 9] = 0;
}

/* It becomes shorter while it is read. */
static void test_shrinks(void **state)
{
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;
	char path[128];
	uint64_t n = 0;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	put_file(dir, "cpu0-000000", bytes, make_cpu(bytes, 1, 0, 0, 200, 40, 0));
	snprintf(path, sizeof(path), "%s/cpu0-000000", dir);
	r = open_dir();
	while (e4d_trace_next(r, &w) == 1) {
		assert_inside(&w, 0, n++);
		if (n == 5)
			assert_int_equal(truncate(path, 100000), 0);
	}
	assert_in_range(n, 100000 / 4096 * 40, 8000);
	e4d_trace_close(r);
}

static uint8_t packed[1 << 20];

/* Frames one after the other, one for each packet; or one for all. */
static size_t pack(size_t len, size_t frame)
{
	size_t n = 0;

	for (size_t at = 0; at < len; at += frame) {
		size_t part = len - at < frame ? len - at : frame;
		size_t got = ZSTD_compress(packed + n, sizeof(packed) - n, bytes + at, part, 3);

		assert_false(ZSTD_isError(got));
		n += got;
	}
	return n;
}

static void test_zstd(void **state)
{
	const bool all[3] = {true, true, true};
	size_t len = make_cpu(bytes, 1, 0, 0, 3, 5, 0), n;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	put_file(dir, "cpu0-000000.zst", packed, pack(len, len));
	assert_packets(all, 3, 5, "one frame", 0);
	n = pack(len, 4096);
	put_file(dir, "cpu0-000000.zst", packed, n);
	assert_packets(all, 3, 5, "frames", 0);
	/* the plain file counts where both are */
	put_file(dir, "cpu0-000000", bytes, len);
	put_file(dir, "cpu0-000000.zst", packed, n / 2);
	assert_packets(all, 3, 5, "both", 0);
}

/* Damage to a frame costs this frame; no write is invented. */
static void test_zstd_damaged(void **state)
{
	size_t len = make_cpu(bytes, 1, 0, 0, 3, 5, 0), n = pack(len, 4096), first, second;

	(void)state;
	first = ZSTD_findFrameCompressedSize(packed, n);
	second = first + ZSTD_findFrameCompressedSize(packed + first, n - first);
	put_session(dir, 1, "vm", REAL, true);
	for (size_t at = 0; at < n; at++) {
		bool whole[3] = {at >= first, at < first || at >= second, at < second};

		/* all eight bits, so that it is damage and no other way to say the same */
		packed[at] ^= 0xff;
		put_file(dir, "cpu0-000000.zst", packed, n);
		packed[at] ^= 0xff;
		assert_packets(whole, 3, 5, "zstd byte", at);
	}
	for (size_t cut = 0; cut < n; cut++) {
		bool whole[3] = {cut >= first, cut >= second, false};

		put_file(dir, "cpu0-000000.zst", packed, cut);
		assert_packets(whole, 3, 5, "zstd cut", cut);
	}
}

static long peak_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* 4 GiB of zeros in 130 KiB, and then a window of 2 GiB: memory stays. */
static void test_zstd_bomb(void **state)
{
	const bool none[1] = {false};
	static uint8_t zeros[1 << 20];
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_outBuffer out = {packed, sizeof(packed), 0};
	long before;

	(void)state;
	put_session(dir, 1, "vm", REAL, true);
	for (int i = 0; i < 4096; i++) {
		ZSTD_inBuffer in = {zeros, sizeof(zeros), 0};

		ZSTD_compressStream2(c, &out, &in, i < 4095 ? ZSTD_e_continue : ZSTD_e_end);
		assert_int_equal(in.pos, in.size);
	}
	ZSTD_freeCCtx(c);
	put_file(dir, "cpu0-000000.zst", packed, out.pos);
	before = peak_kib();
	assert_packets(none, 1, 1, "bomb", 0);
	put_file(dir, "cpu0-000000.zst", "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);
	assert_packets(none, 1, 1, "window", 0);
	assert_in_range(peak_kib() - before, 0, 32 << 10);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(dir, sizeof(dir), "%s/a", root);
	snprintf(dir2, sizeof(dir2), "%s/b", root);
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
		TEST(test_all_of_it),
		TEST(test_seek),
		TEST(test_truncated_at_each_byte),
		TEST(test_each_byte_flipped),
		TEST(test_shifted),
		TEST(test_forged),
		TEST(test_newer),
		TEST(test_unknown_is_passed),
		TEST(test_once_and_in_order),
		TEST(test_hosts),
		TEST(test_nothing_there),
		TEST(test_shrinks),
		TEST(test_zstd),
		TEST(test_zstd_damaged),
		TEST(test_zstd_bomb),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
