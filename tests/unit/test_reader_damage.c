/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The reader against damaged files: what is whole comes, no write is invented. */
#include "dumps.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_truncated_at_each_byte),
		TEST(test_each_byte_flipped),
		TEST(test_shifted),
		TEST(test_forged),
		TEST(test_shrinks),
	};

	return cmocka_run_group_tests_name("reader_damage", tests, NULL, NULL);
}
