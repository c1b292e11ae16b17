/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the tests of the sinks share: hostile strings, a record, a renderer. */
#ifndef E4D_TEST_SINKS_H
#define E4D_TEST_SINKS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/fields.h"
#include "sink/sink.h"
#include "util/escape.h"
#include "verdict.h"

static const char *const hostile[] = {
	"plain",
	"",
	"a b",
	"quo\"te,comma",
	"new\nline\r\n",
	"\033[31mred\033]0;t\007",
	"back\\slash\\x1b",
	"bad\xff\xfe\xc0\xafutf",
	"cut\xe2\x82",
	"sur\xed\xa0\x80",
	"c1\xc2\x9b"
	"31m",
	"bidi\xe2\x80\xae"
	"cod",
	"wide\xe6\xbc\xa2\xe5\xad\x97",
	"del\x7f",
	"tag\xf3\xa0\x80\x81",
	"=1+1",
	"@SUM(A1)",
	"-2+3",
	"# loss,ring_full,1",
	"\xf4\x90\x80\x80",
	" lead",
	"trail ",
	"\xc3\xa9t\xc3\xa9",
	"verdict=clean",
	"\t",
	"'",
	"\xef\xbb\xbf"
	"bom",
	"null",
};
#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

static inline struct e4d_record sample(void)
{
	struct e4d_record r = {
		.ts_ns = 81123456789,
		.seq = 41,
		.ino = 131,
		.offset = 512,
		.mapped_end = 1052672,
		.alloc_end = 1052673,
		.isize_before = 3,
		.isize_after = 7680,
		.trim_from = 7681,
		.past_eof = 1040384,
		.prealloc = 4097,
		.exposed_ns = 77,
		.latency_ns = 1234567,
		.submitted = 1048576,
		.mapped = 1048577,
		.dio_size = 7168,
		.ret = -14,
		.fallback = -5,
		.pid = 4711,
		.tid = 4712,
		.dev = 259 << 20 | 65537,
		.gen = 4000000000u,
		.flags = E4D_F_EXTEND | E4D_F_SYNC | E4D_F_NEW | E4D_F_ORPHAN | E4D_F_ASYNC_EXTEND,
		.comm = "pwrite-tail",
		.dio_error = -28,
		.trim_ret = -117,
		.extents = 9,
		.cpu = 3,
		.seen = 0xfff,
		.doubt = 0,
		.blkbits = 12,
		.tier = E4D_TIER_KPROBE,
		.verdict = E4D_LEAK,
		.evidence = E4D_CONFIRMED,
		.version = E4D_RECORD_VERSION,
	};

	return r;
}

/* Runs one record through a sink and returns what it wrote; freed by caller. */
static inline char *render(const char *format, const struct e4d_record *r, const char *path,
                           const struct e4d_clock *clock, bool begin)
{
	int fd = memfd_create("sink", 0);
	struct e4d_sink *sink;
	struct stat st;
	char *buf;

	assert_true(fd >= 0);
	assert_int_equal(e4d_sink_open(format, fd, clock, &sink), 0);
	sink->strict = true;
	if (begin)
		assert_int_equal(e4d_sink_begin(sink), 0);
	if (r)
		assert_int_equal(e4d_sink_write(sink, r, path), 0);
	else
		assert_int_equal(e4d_sink_loss(sink, path, UINT64_MAX), 0);
	assert_int_equal(e4d_sink_end(sink), 0);
	e4d_sink_close(sink);
	assert_int_equal(fstat(fd, &st), 0);
	buf = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(buf);
	assert_int_equal(pread(fd, buf, (size_t)st.st_size, 0), st.st_size);
	assert_int_equal(strlen(buf), st.st_size);
	close(fd);
	return buf;
}

static const struct e4d_clock utc = {.boot_to_real_ns = 1777900000000000000LL, .utc = true};

static inline void assert_visible(const char *text)
{
	for (; *text; text++)
		assert_true(*text == '\n' || ((unsigned char)*text >= 0x20 && *text != 0x7f));
}

static inline struct e4d_record filled(unsigned char byte)
{
	struct e4d_record r;

	memset(&r, byte, sizeof(r));
	return r;
}

/* What a JSON reader shall see of s: invalid bytes NN as U+00NN. */
static inline void latin(char *dst, const char *s, size_t len)
{
	for (size_t n; len; s += n, len -= n) {
		__u32 cp;

		n = e4d_utf8_decode(s, len, &cp);
		if (n) {
			dst = mempcpy(dst, s, n);
			continue;
		}
		*dst++ = (char)(0xc0 | (unsigned char)*s >> 6);
		*dst++ = (char)(0x80 | (*s & 0x3f));
		n = 1;
	}
	*dst = 0;
}

#endif
