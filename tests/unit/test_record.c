/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The record's layout, and what text, JSON and CSV make of it. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "record/fields.h"
#include "sink/sink.h"
#include "util/escape.h"
#include "verdict.h"

static const char *const hostile[] = {
	"plain", "", "a b", "quo\"te,comma", "new\nline\r\n", "\033[31mred\033]0;t\007",
	"back\\slash\\x1b", "bad\xff\xfe\xc0\xafutf", "cut\xe2\x82", "sur\xed\xa0\x80",
	"c1\xc2\x9b" "31m", "bidi\xe2\x80\xae" "cod", "wide\xe6\xbc\xa2\xe5\xad\x97", "del\x7f",
	"tag\xf3\xa0\x80\x81", "=1+1", "# loss,ring_full,1", "\xf4\x90\x80\x80", " lead", "trail ",
	"\xc3\xa9t\xc3\xa9", "verdict=clean", "\t", "'", "\xef\xbb\xbf" "bom", "null",
};
#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

static struct e4d_record sample(void)
{
	struct e4d_record r = {
		.ts_ns = 81123456789, .seq = 41, .ino = 131, .offset = 512,
		.mapped_end = 1052672, .alloc_end = 1052673, .isize_before = 3,
		.isize_after = 7680, .trim_from = 7681, .past_eof = 1040384, .prealloc = 4097,
		.exposed_ns = 77, .latency_ns = 1234567, .submitted = 1048576, .mapped = 1048577,
		.dio_size = 7168, .ret = -14, .fallback = -5, .pid = 4711, .tid = 4712,
		.dev = 259 << 20 | 65537, .gen = 4000000000u,
		.flags = E4D_F_EXTEND | E4D_F_SYNC | E4D_F_NEW | E4D_F_ORPHAN | E4D_F_ASYNC_EXTEND,
		.comm = "pwrite-tail", .dio_error = -28, .trim_ret = -117, .extents = 9, .cpu = 3,
		.seen = 0xfff, .doubt = 0, .blkbits = 12, .tier = E4D_TIER_KPROBE,
		.verdict = E4D_LEAK, .evidence = E4D_CONFIRMED, .version = E4D_RECORD_VERSION,
	};

	return r;
}

static void test_layout(void **state)
{
	static const size_t want[][2] = {
#define AT(m, off) { offsetof(struct e4d_record, m), off }
		AT(ts_ns, 0), AT(seq, 8), AT(ino, 16), AT(offset, 24), AT(mapped_end, 32),
		AT(alloc_end, 40), AT(isize_before, 48), AT(isize_after, 56), AT(trim_from, 64),
		AT(past_eof, 72), AT(prealloc, 80), AT(exposed_ns, 88), AT(latency_ns, 96),
		AT(submitted, 104), AT(mapped, 108), AT(dio_size, 112), AT(ret, 116),
		AT(fallback, 120), AT(pid, 124), AT(tid, 128), AT(dev, 132), AT(gen, 136),
		AT(flags, 140), AT(comm, 144), AT(dio_error, 160), AT(trim_ret, 162),
		AT(extents, 164), AT(cpu, 166), AT(seen, 168), AT(doubt, 170), AT(blkbits, 171),
		AT(tier, 172), AT(verdict, 173), AT(evidence, 174), AT(version, 175),
#undef AT
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(want[i][0], want[i][1]);
	assert_int_equal(sizeof(struct e4d_record), 176);
}

static void test_names(void **state)
{
	static const struct e4d_names *const all[] = { &e4d_verdicts, &e4d_evidences, &e4d_tiers,
						       &e4d_flags, &e4d_doubts };
	char list[256];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (unsigned int v = 0; v < all[i]->count; v++) {
			const char *word = e4d_name(all[i], v);

			if (!strcmp(word, "invalid")) {
				assert_ptr_equal(all[i], &e4d_flags);
				assert_int_equal(1u << v, E4D_F_ORPHAN);
				continue;
			}
			assert_int_equal(e4d_name_value(all[i], word, strlen(word)), v);
		}
	assert_string_equal(e4d_name(&e4d_verdicts, 255), "invalid");
	assert_int_equal(e4d_name_value(&e4d_verdicts, "leaks", 5), -EINVAL);
	assert_int_equal(e4d_name_value(&e4d_flags, "orphan", 6), -EINVAL);
	e4d_name_list(&e4d_verdicts, list, sizeof(list));
	assert_string_equal(list, "unknown, clean, trimmed, reused, prealloc, leak, trim-failed, "
				  "exposed");
}

/* Runs one record through a sink and returns what it wrote; freed by caller. */
static char *render(const char *format, const struct e4d_record *r, const char *path,
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

static const struct e4d_clock utc = { .boot_to_real_ns = 1777900000000000000LL, .utc = true };

static json_t *parse_line(const char *line, size_t flags)
{
	json_error_t error;
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES | flags, &error);

	if (!o)
		print_error("%s at %d in %s\n", error.text, error.position, line);
	assert_non_null(o);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_int_equal(json_object_size(o), E4D_FIELD_COUNT + 0);
	return o;
}

static void expect_int(json_t *o, const char *name, bool known, __s64 want)
{
	json_t *v = json_object_get(o, name);

	if (!known) {
		assert_true(json_is_null(v));
		return;
	}
	if (!json_is_integer(v) || json_integer_value(v) != want)
		print_error("%s: expected %lld, got %lld\n", name, want,
			    (long long)json_integer_value(v));
	assert_true(json_is_integer(v));
	assert_int_equal(json_integer_value(v), want);
}

static void expect_words(json_t *o, const char *name, const char *want)
{
	json_t *v = json_object_get(o, name);
	char got[256] = "";

	assert_true(json_is_array(v));
	for (size_t i = 0; i < json_array_size(v); i++) {
		strcat(got, json_string_value(json_array_get(v, i)));
		strcat(got, " ");
	}
	assert_string_equal(got, want);
}

static void expect_str(json_t *o, const char *name, const char *want)
{
	assert_string_equal(json_string_value(json_object_get(o, name)), want);
}

/* Every number of the record, by hand: not by the table that is under test. */
static void expect_numbers(json_t *o, const struct e4d_record *r)
{
	const __u16 s = r->seen;

	expect_int(o, "ts_ns", true, (__s64)r->ts_ns);
	expect_int(o, "seq", true, (__s64)r->seq);
	expect_int(o, "cpu", true, r->cpu);
	expect_int(o, "pid", true, r->pid);
	expect_int(o, "tid", true, r->tid);
	expect_int(o, "ino", true, (__s64)r->ino);
	expect_int(o, "gen", true, r->gen);
	expect_int(o, "offset", true, (__s64)r->offset);
	expect_int(o, "submitted", true, r->submitted);
	expect_int(o, "mapped", true, r->mapped);
	expect_int(o, "mapped_end", true, (__s64)r->mapped_end);
	expect_int(o, "alloc_end", true, (__s64)r->alloc_end);
	expect_int(o, "extents", true, r->extents);
	expect_int(o, "dio_size", s & E4D_SEEN_DIO_SIZE, r->dio_size);
	expect_int(o, "dio_error", s & E4D_SEEN_END_IO, r->dio_error);
	expect_int(o, "ret", s & E4D_SEEN_RET, r->ret);
	expect_int(o, "fallback", s & E4D_SEEN_FALLBACK, r->fallback);
	expect_int(o, "isize_before", true, (__s64)r->isize_before);
	expect_int(o, "isize_after", true, (__s64)r->isize_after);
	expect_int(o, "blksize", true, 1LL << r->blkbits);
	expect_int(o, "trim_from", s & E4D_SEEN_TRIM, (__s64)r->trim_from);
	expect_int(o, "trim_ret", s & E4D_SEEN_TRIM_RET, r->trim_ret);
	expect_int(o, "past_eof", true, (__s64)r->past_eof);
	expect_int(o, "prealloc", true, (__s64)r->prealloc);
	expect_int(o, "exposed_ns", true, (__s64)r->exposed_ns);
	expect_int(o, "latency_ns", true, (__s64)r->latency_ns);
	if (s & E4D_SEEN_ORPHAN)
		assert_true(json_boolean_value(json_object_get(o, "orphan")) ==
			    !!(r->flags & E4D_F_ORPHAN));
	else
		assert_true(json_is_null(json_object_get(o, "orphan")));
}

static void test_json_each_field(void **state)
{
	struct e4d_record r = sample();
	char *line = render("json", &r, "/mnt/f", &utc, true);
	json_t *o = parse_line(line, 0);

	(void)state;
	expect_numbers(o, &r);
	expect_str(o, "ts", "2026-05-04T13:08:01.123456789Z");
	expect_str(o, "comm", "pwrite-tail");
	expect_str(o, "dev", "259:65537");
	expect_str(o, "path", "/mnt/f");
	expect_str(o, "verdict", "leak");
	expect_str(o, "evidence", "confirmed");
	expect_str(o, "tier", "kprobe");
	expect_words(o, "flags", "extend sync new async-extend ");
	expect_words(o, "doubt", "");
	json_decref(o);
	free(line);
}

static void test_json_nulls_and_lists(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit <= 12; bit++) {
		struct e4d_record r = sample();
		char *line;
		json_t *o;

		r.seen = bit == 12 ? 0 : (__u16)(1u << bit);
		r.flags = ~0u;
		r.doubt = 0xff;
		r.verdict = 200;
		line = render("json", &r, NULL, &utc, true);
		o = parse_line(line, 0);
		expect_numbers(o, &r);
		assert_true(json_is_null(json_object_get(o, "path")));
		expect_words(o, "flags", "extend async sync nowait dsync append unaligned new "
			     "unwritten atomic dax overtrim size-moved async-extend ");
		expect_words(o, "doubt", "lost half race settle ");
		expect_str(o, "verdict", "invalid");
		json_decref(o);
		free(line);
	}
}

/* What a JSON reader shall see: invalid bytes NN as U+00NN. */
static void latin(char *dst, const char *s)
{
	size_t len = strlen(s);

	while (len) {
		__u32 cp;
		size_t n = e4d_utf8_decode(s, len, &cp);

		if (n) {
			dst = mempcpy(dst, s, n);
		} else {
			unsigned char c = (unsigned char)*s;

			*dst++ = (char)(0xc0 | c >> 6);
			*dst++ = (char)(0x80 | (c & 0x3f));
			n = 1;
		}
		s += n;
		len -= n;
	}
	*dst = 0;
}

static void assert_visible(const char *text)
{
	for (; *text; text++)
		assert_true(*text == '\n' || ((unsigned char)*text >= 0x20 && *text != 0x7f));
}

static void test_json_hostile(void **state)
{
	char want[256], comm[64];

	(void)state;
	for (size_t i = 0; i < HOSTILE; i++) {
		struct e4d_record r = sample();
		char *line;
		json_t *o;

		memset(r.comm, 0, sizeof(r.comm));
		memcpy(r.comm, hostile[i], strnlen(hostile[i], E4D_COMM_LEN));
		snprintf(comm, sizeof(comm), "%.16s", r.comm);
		line = render("json", &r, hostile[i], &utc, true);
		assert_visible(line);
		o = parse_line(line, 0);
		latin(want, hostile[i]);
		expect_str(o, "path", want);
		latin(want, comm);
		expect_str(o, "comm", want);
		json_decref(o);
		free(line);
	}
}

static struct e4d_record filled(unsigned char byte)
{
	struct e4d_record r;

	memset(&r, byte, sizeof(r));
	return r;
}

static void test_json_extremes(void **state)
{
	struct e4d_record r = filled(0xff);
	char *line = render("json", &r, NULL, &utc, true);
	json_t *o = parse_line(line, JSON_DECODE_INT_AS_REAL);

	(void)state;
	assert_non_null(strstr(line, "\"offset\":18446744073709551615,"));
	assert_non_null(strstr(line, "\"submitted\":4294967295,"));
	assert_non_null(strstr(line, "\"ret\":-1,"));
	assert_non_null(strstr(line, "\"dev\":\"4095:1048575\","));
	assert_non_null(strstr(line, "\"tier\":\"invalid\"}"));
	json_decref(o);
	free(line);
	/* as large as jansson's integers go, each exact */
	r = filled(0x7f);
	r.ret = INT32_MIN;
	r.fallback = INT32_MIN;
	r.dio_error = INT16_MIN;
	r.trim_ret = INT16_MIN;
	r.blkbits = 62;
	line = render("json", &r, NULL, &utc, true);
	o = parse_line(line, 0);
	expect_numbers(o, &r);
	json_decref(o);
	free(line);
}

/* Splits one CSV line into values (RFC 4180); returns their number. */
static size_t csv_split(const char *s, char out[][512], bool *quoted, size_t max)
{
	size_t n = 0, o = 0;

	quoted[0] = *s == '"';
	for (bool in = false; *s && (in || *s != '\n'); s++) {
		if (*s == '"' && in && s[1] == '"') {
			out[n][o++] = *s++;
		} else if (*s == '"') {
			in = !in;
		} else if (*s == ',' && !in) {
			out[n][o] = 0;
			o = 0;
			assert_true(++n < max);
			quoted[n] = s[1] == '"';
		} else {
			out[n][o++] = *s;
		}
	}
	out[n][o] = 0;
	assert_string_equal(s, "\n");
	return n + 1;
}

static void csv_case(struct e4d_record *r, const char *path)
{
	static char head[64][512], val[64][512];
	bool quoted[64];
	char *text = render("csv", r, path, &utc, true), *line = strchr(text, '\n');
	char want[600];

	assert_visible(text);
	assert_int_equal(csv_split(line + 1, val, quoted, 64), E4D_FIELD_COUNT);
	e4d_escape_text(want, sizeof(want), path ? path : "", path ? strlen(path) : 0);
	assert_string_equal(val[10], want);
	assert_int_equal(val[10][0] == 0 && !quoted[10], path == NULL);
	e4d_escape_text(want, sizeof(want), r->comm, strnlen(r->comm, 16));
	assert_string_equal(val[6], want);
	snprintf(want, sizeof(want), "%llu", r->isize_after);
	assert_string_equal(val[22], want);
	snprintf(want, sizeof(want), "%d", r->ret);
	assert_string_equal(val[19], r->seen & E4D_SEEN_RET ? want : "");
	assert_string_equal(val[32], e4d_verdict_name(r->verdict));
	line[1] = 0;
	assert_int_equal(csv_split(text, head, quoted, 64), E4D_FIELD_COUNT);
	assert_string_equal(head[0], "ts");
	assert_string_equal(head[10], "path");
	assert_string_equal(head[19], "ret");
	assert_string_equal(head[22], "isize_after");
	assert_string_equal(head[32], "verdict");
	assert_string_equal(head[35], "tier");
	free(text);
}

static void test_csv(void **state)
{
	struct e4d_record r = sample();
	char *line = render("csv", &r, NULL, &utc, false);

	(void)state;
	assert_string_equal(line, "2026-05-04T13:08:01.123456789Z,81123456789,41,3,4711,4712,"
		"pwrite-tail,259:65537,131,4000000000,,512,1048576,1048577,1052672,1052673,9,7168,"
		"-28,-14,-5,3,7680,4096,7681,-117,1040384,4097,true,77,extend+sync+new+async-extend,"
		"1234567,leak,,confirmed,kprobe\n");
	free(line);
	csv_case(&r, NULL);
	for (size_t i = 0; i < HOSTILE; i++) {
		memset(r.comm, 0, sizeof(r.comm));
		memcpy(r.comm, hostile[i], strnlen(hostile[i], E4D_COMM_LEN));
		csv_case(&r, hostile[i]);
	}
	r = filled(0xff);
	csv_case(&r, "x");
	r.seen = 0;
	csv_case(&r, NULL);
}

static void test_loss_lines(void **state)
{
	char *s = render("json", NULL, "ring_full", &utc, false);

	(void)state;
	assert_string_equal(s, "{\"loss\":\"ring_full\",\"count\":18446744073709551615}\n");
	free(s);
	s = render("csv", NULL, "ring_full", &utc, false);
	assert_string_equal(s, "# loss,ring_full,18446744073709551615\n");
	free(s);
	s = render("text", NULL, "ring_full", &utc, false);
	assert_string_equal(s, "");
	free(s);
}

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
	assert_string_equal(s,
		"TIME     COMM          PID  OFFS  SUBM   MAP ENDIO   RET ISIZE  PAST VERDICT\n"
		"13:08:01 pwrite-t+    4711 1500K    1M  1.0M  7680   -14  7680 1016K leak\n"
		"    dev=259:65537 ino=131 offset=1536000 submitted=1048576 dio_size=7680\n"
		"    ret=-14(EFAULT) fallback=-5(EIO) past_eof=1040384 isize=3..7680\n"
		"    trim_from=7681 trim_ret=-117 exposed_ns=77 confirmed path=/mnt/f\n");
	free(s);
	r.seen = 0;
	r.verdict = E4D_CLEAN;
	r.exposed_ns = 0;
	s = render("text", &r, "/mnt/f", &utc, false);
	assert_string_equal(s, "13:08:01 pwrite-t+    4711 1500K    1M  1.0M     -     -  7680 1016K "
			       "clean\n");
	free(s);
}

static void test_clock(void **state)
{
	struct e4d_clock c = { .boot_to_real_ns = -1 };
	char buf[E4D_TIME_MAX];

	(void)state;
	setenv("TZ", "XXX-5:30", 1);
	tzset();
	assert_int_equal(e4d_clock_format(&c, 1, buf), 35);
	assert_string_equal(buf, "1970-01-01T05:30:00.000000000+05:30");
	e4d_clock_format(&c, 0, buf);
	assert_string_equal(buf, "1970-01-01T05:29:59.999999999+05:30");
	c = (struct e4d_clock){ .boot_to_real_ns = INT64_MAX };
	assert_true(e4d_clock_format(&c, UINT64_MAX, buf) < E4D_TIME_MAX);
	c = (struct e4d_clock){ .boot_to_real_ns = INT64_MIN, .utc = true };
	e4d_clock_format(&c, 0, buf);
	assert_string_equal(buf, "1677-09-21T00:12:43.145224192Z");
	unsetenv("TZ");
	tzset();
	assert_int_equal(e4d_clock_measure(&c), 0);
	assert_true(c.boot_to_real_ns > 0);
}

static void test_outbuf_numbers(void **state)
{
	struct e4d_outbuf ob = { 0 };
	char want[128], got[128];
	__u64 v = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		int fd = memfd_create("ob", 0);
		ssize_t n;

		/* around each power of ten, then of two */
		v = i < 60 ? e4d_pow10[i / 3] + (__u64)(i % 3) - 1 : (1ULL << i % 64) - (i & 1);
		e4d_ob_u64(&ob, v);
		e4d_ob_char(&ob, ' ');
		e4d_ob_s64(&ob, (__s64)v);
		e4d_ob_char(&ob, ' ');
		e4d_ob_s64(&ob, -(__s64)(v >> 1));
		e4d_ob_str(&ob, " ");
		e4d_ob_hex(&ob, v);
		assert_int_equal(e4d_ob_flush(&ob, fd), 0);
		n = pread(fd, got, sizeof(got) - 1, 0);
		assert_true(n > 0);
		got[n] = 0;
		snprintf(want, sizeof(want), "%llu %lld %lld 0x%llx", v, (__s64)v, -(__s64)(v >> 1), v);
		assert_string_equal(got, want);
		close(fd);
	}
	e4d_ob_free(&ob);
}

static void test_broken_pipe(void **state)
{
	struct e4d_record r = sample();
	struct e4d_sink *sink;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(e4d_sink_open("json", fds[1], &utc, &sink), 0);
	assert_int_equal(e4d_sink_write(sink, &r, NULL), 0);
	close(fds[0]);
	assert_int_equal(e4d_sink_write(sink, &r, NULL), -EPIPE);
	assert_int_equal(e4d_sink_end(sink), -EPIPE);
	close(fds[1]);
	assert_int_equal(e4d_sink_write(sink, &r, NULL), -EPIPE);
	e4d_sink_close(sink);
	assert_int_equal(e4d_sink_open("xml", 1, &utc, &sink), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_json_each_field),
		cmocka_unit_test(test_json_nulls_and_lists),
		cmocka_unit_test(test_json_hostile),
		cmocka_unit_test(test_json_extremes),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_loss_lines),
		cmocka_unit_test(test_text_width),
		cmocka_unit_test(test_text_sample),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_outbuf_numbers),
		cmocka_unit_test(test_broken_pipe),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
