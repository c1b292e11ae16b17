/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The text output, and what all sinks stand on: clock, line buffer, errors. */
#include <signal.h>
#include <time.h>

#include "sinks.h"

/* No line of the text wider than 80 columns, nothing invisible in it. */
static void text_case(const struct e4d_record *r, const char *path)
{
	char *text = render("text", r, path, &utc, true), *line = text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		assert_visible(line);
		for (size_t i = 0; line[i];) { /* valid UTF-8, and not hidden */
			char unit[E4D_TEXT_UNIT_MAX];
			unsigned int cols;
			size_t n, used;
			__u32 cp;

			assert_true(e4d_utf8_decode(line + i, strlen(line + i), &cp) > 0);
			used = e4d_text_unit(line + i, strlen(line + i), unit, &n, &cols);
			assert_true(n == used || cp == '\\');
			i += used;
		}
		/* a backslash is one column in the output that is measured here */
		for (size_t i = 0, cols = 0; line[i]; assert_true(cols <= 80)) {
			char unit[E4D_TEXT_UNIT_MAX];
			unsigned int w;
			size_t n;
			bool slash = line[i] == '\\';

			i += e4d_text_unit(line + i, strlen(line + i), unit, &n, &w);
			cols += slash ? 1 : w;
		}
	}
	assert_int_equal(*line, 0);
	free(text);
}

static void test_text_width(void **state)
{
	struct e4d_record r;
	char path[4096];

	(void)state;
	for (size_t i = 0; i < HOSTILE; i++)
		for (size_t times = 1; times < 120; times += 3) {
			r = sample();
			path[0] = 0;
			for (size_t t = 0; t < times; t++)
				strcat(path, hostile[i]);
			memset(r.comm, 0, sizeof(r.comm));
			memcpy(r.comm, path, strnlen(path, E4D_COMM_LEN));
			text_case(&r, path);
			r.seen = 0;
			text_case(&r, path);
		}
	for (unsigned int b = 0; b < 256; b++) {
		r = filled((unsigned char)b);
		for (__u8 v = 0; v < E4D_VERDICT_COUNT + 1; v++) {
			r.verdict = v;
			text_case(&r, b & 1 ? "/mnt/x" : NULL);
		}
	}
	for (unsigned int bit = 0; bit < 64; bit++)
		for (int d = -1; d < 2; d++) {
			r = sample();
			r.offset = r.isize_after = r.past_eof = (1ULL << bit) + (__u64)d;
			r.ret = (__s32)r.offset;
			text_case(&r, "/mnt/x");
		}
}

static void test_text_sample(void **state)
{
	struct e4d_record r = sample();
	char *s;

	(void)state;
	r.dio_size = 7680;
	r.offset = 1536000;
	s = render("text", &r, "/mnt/f", &utc, true);
	assert_string_equal(
		s, "TIME     COMM          PID  OFFS  SUBM   MAP ENDIO   RET ISIZE  PAST VERDICT\n"
		   "13:08:01 pwrite-t+    4711 1500K    1M  1.0M  7680   -14  7680 1016K leak\n"
		   "    dev=259:65537 ino=131 offset=1536000 submitted=1048576 dio_size=7680\n"
		   "    ret=-14(EFAULT) fallback=-5(EIO) past_eof=1040384 isize=3..7680\n"
		   "    trim_from=7681 trim_ret=-117 exposed_ns=77 confirmed path=/mnt/f\n");
	free(s);
	r.seen = 0;
	r.verdict = E4D_CLEAN;
	r.exposed_ns = 0;
	s = render("text", &r, "/mnt/f", &utc, false);
	assert_string_equal(s,
	                    "13:08:01 pwrite-t+    4711 1500K    1M  1.0M     -     -  7680 1016K "
	                    "clean\n");
	free(s);
}

static void test_clock(void **state)
{
	struct e4d_clock c = {.boot_to_real_ns = -1};
	char buf[E4D_TIME_MAX];

	(void)state;
	setenv("TZ", "XXX-5:30", 1);
	tzset();
	assert_int_equal(e4d_clock_format(&c, 1, buf), 35);
	assert_string_equal(buf, "1970-01-01T05:30:00.000000000+05:30");
	e4d_clock_format(&c, 0, buf);
	assert_string_equal(buf, "1970-01-01T05:29:59.999999999+05:30");
	/* the same second, the next one, and back */
	e4d_clock_format(&c, 1000000000, buf);
	assert_string_equal(buf, "1970-01-01T05:30:00.999999999+05:30");
	e4d_clock_format(&c, 1000000001, buf);
	assert_string_equal(buf, "1970-01-01T05:30:01.000000000+05:30");
	e4d_clock_format(&c, 2000000000, buf);
	assert_string_equal(buf, "1970-01-01T05:30:01.999999999+05:30");
	e4d_clock_format(&c, 7, buf);
	assert_string_equal(buf, "1970-01-01T05:30:00.000000006+05:30");
	/* a second that began before the boot is not the one 2^64 ns later */
	c = (struct e4d_clock){.boot_to_real_ns = 500000000, .utc = true};
	e4d_clock_format(&c, 0, buf);
	assert_string_equal(buf, "1970-01-01T00:00:00.500000000Z");
	e4d_clock_format(&c, UINT64_MAX, buf);
	assert_string_equal(buf, "2554-07-21T23:34:34.209551615Z");
	c = (struct e4d_clock){.boot_to_real_ns = INT64_MAX};
	assert_true(e4d_clock_format(&c, UINT64_MAX, buf) < E4D_TIME_MAX);
	c = (struct e4d_clock){.boot_to_real_ns = INT64_MIN, .utc = true};
	e4d_clock_format(&c, 0, buf);
	assert_string_equal(buf, "1677-09-21T00:12:43.145224192Z");
	unsetenv("TZ");
	tzset();
	assert_int_equal(e4d_clock_measure(&c), 0);
	assert_true(c.boot_to_real_ns > 0);
}

static void number(__u64 v)
{
	static struct e4d_outbuf ob;
	char want[128];

	snprintf(want, sizeof(want), "%llu %lld %lld 0x%llx", v, (__s64)v, -(__s64)(v >> 1), v);
	e4d_ob_u64(&ob, v);
	e4d_ob_char(&ob, ' ');
	e4d_ob_s64(&ob, (__s64)v);
	e4d_ob_char(&ob, ' ');
	e4d_ob_s64(&ob, -(__s64)(v >> 1));
	e4d_ob_str(&ob, " ");
	e4d_ob_hex(&ob, v);
	assert_int_equal(ob.err, 0);
	assert_int_equal(ob.len, strlen(want));
	assert_memory_equal(ob.data, want, ob.len);
	e4d_ob_free(&ob);
}

static void test_outbuf_numbers(void **state)
{
	__u64 pow10 = 1, x = 1;

	(void)state;
	for (__u64 v = 0; v < 20000; v++)
		number(v);
	for (int i = 0; i < 20; i++, pow10 *= 10)
		for (int k = -2; k <= 2; k++)
			number(pow10 + (__u64)k);
	for (int i = 0; i < 128; i++)
		number((1ULL << i % 64) - (i & 1));
	for (int i = 0; i < 300000; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		number(x >> i % 64);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_width),
		cmocka_unit_test(test_text_sample),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_outbuf_numbers),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
