/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdbool.h>
#include <string.h>

#include "util/crc32c.h"

#define POLY 0x82f63b78u /* bits reversed */

/* [k][b]: of byte b and k zeros after it */
static uint32_t table[8][256];
static bool by_cpu;

uint32_t e4d_crc32c_table(uint32_t crc, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;

		memcpy(&v, p, sizeof(v));
		v ^= crc;
		crc = 0;
		for (int k = 0; k < 8; k++)
			crc ^= table[7 - k][v >> 8 * k & 255];
	}
	for (; n; n--, p++)
		crc = table[0][(crc ^ *p) & 255] ^ crc >> 8;
	return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#define WITH_CRC   __attribute__((target("sse4.2")))
#define CRC8(c, v) ((uint32_t)_mm_crc32_u64(c, v))
#define CRC1(c, v) _mm_crc32_u8(c, v)

static bool cpu_has(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#define WITH_CRC   __attribute__((target("+crc")))
#define CRC8(c, v) __crc32cd(c, v)
#define CRC1(c, v) __crc32cb(c, v)

static bool cpu_has(void)
{
	return getauxval(AT_HWCAP) & (1 << 7); /* HWCAP_CRC32 */
}
#endif

#ifdef WITH_CRC
/* The instruction takes three cycles and starts one each cycle: three runs side by side. */
#define RUN 1024

/* [k][b]: what byte k of a CRC becomes over RUN zeros */
static uint32_t over_run[4][256];

static uint32_t over(uint32_t crc)
{
	return over_run[0][crc & 255] ^ over_run[1][crc >> 8 & 255] ^ over_run[2][crc >> 16 & 255] ^
	       over_run[3][crc >> 24];
}

static bool cpu_init(void)
{
	/* linear: of each bit, then of each byte as the sum of its bits */
	for (int bit = 0; bit < 32; bit++) {
		uint32_t c = 1u << bit, low = 1u << bit % 8;

		for (int i = 0; i < RUN; i++)
			c = table[0][c & 255] ^ c >> 8;
		for (uint32_t b = 0; b < low; b++)
			over_run[bit / 8][low | b] = over_run[bit / 8][b] ^ c;
	}
	return cpu_has();
}

static inline uint64_t load8(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

WITH_CRC static uint32_t cpu(uint32_t crc, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	crc = ~crc;
	for (; n >= 3 * RUN; n -= 3 * RUN, p += 3 * RUN) {
		uint32_t b = 0, c = 0;

#pragma GCC unroll 4
		for (int i = 0; i < RUN; i += 8) {
			crc = CRC8(crc, load8(p + i));
			b = CRC8(b, load8(p + RUN + i));
			c = CRC8(c, load8(p + 2 * RUN + i));
		}
		crc = over(over(crc) ^ b) ^ c;
	}
	for (; n >= 8; n -= 8, p += 8)
		crc = CRC8(crc, load8(p));
	for (; n; n--, p++)
		crc = CRC1(crc, *p);
	return ~crc;
}
#else
static bool cpu_init(void)
{
	return false;
}

static uint32_t cpu(uint32_t crc, const void *p, size_t n)
{
	return e4d_crc32c_table(crc, p, n);
}
#endif

__attribute__((constructor)) static void make_tables(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t c = b;

		for (int i = 0; i < 8; i++)
			c = c & 1 ? c >> 1 ^ POLY : c >> 1;
		table[0][b] = c;
	}
	for (int k = 1; k < 8; k++)
		for (uint32_t b = 0; b < 256; b++)
			table[k][b] = table[0][table[k - 1][b] & 255] ^ table[k - 1][b] >> 8;
	by_cpu = cpu_init();
}

uint32_t e4d_crc32c(uint32_t crc, const void *p, size_t n)
{
	return by_cpu ? cpu(crc, p, n) : e4d_crc32c_table(crc, p, n);
}
