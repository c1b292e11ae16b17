/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* CRC32C, by the CPU and by the table, against the vectors of RFC 3720, B.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "util/crc32c.h"

static void both(const void *data, size_t n, uint32_t want)
{
	assert_int_equal(e4d_crc32c(0, data, n), want);
	assert_int_equal(e4d_crc32c_table(0, data, n), want);
}

static void rfc_3720(void **state)
{
	static const unsigned char read_pdu[48] = {
		0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0,    0, 0, 0, 0,
		0x14, 0,    0, 0, 0, 0, 4, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
		0x28, 0,    0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0,    0, 0, 0, 0,
	};
	unsigned char b[32];

	(void)state;
	memset(b, 0, sizeof(b));
	both(b, 32, 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	both(b, 32, 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		b[i] = (unsigned char)i;
	both(b, 32, 0x46dd794e);
	for (int i = 0; i < 32; i++)
		b[i] = (unsigned char)(31 - i);
	both(b, 32, 0x113fdb5c);
	both(read_pdu, sizeof(read_pdu), 0xd9963a56);
	both("123456789", 9, 0xe3069283);
	both("", 0, 0);
}

/* In two steps, at each place, and at each alignment. */
static void in_parts(void **state)
{
	unsigned char b[80];
	uint32_t whole;

	(void)state;
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)(i * 37 + 11);
	for (size_t from = 0; from < 8; from++) {
		size_t n = sizeof(b) - from;

		whole = e4d_crc32c_table(0, b + from, n);
		for (size_t cut = 0; cut <= n; cut++)
			assert_int_equal(
				e4d_crc32c(e4d_crc32c(0, b + from, cut), b + from + cut, n - cut),
				whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_3720),
		cmocka_unit_test(in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
