/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The reader against compressed files, whole and damaged; its memory is bounded. */
#include <sys/resource.h>
#include <zstd.h>
#include "dumps.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_zstd),
		TEST(test_zstd_damaged),
		TEST(test_zstd_bomb),
	};

	return cmocka_run_group_tests_name("reader_zstd", tests, NULL, NULL);
}
