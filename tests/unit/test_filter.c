/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The filter: what matches, and what is refused and why. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "filter/filter.h"

static const struct e4d_record rec = {
	.ts_ns = 5000000000,
	.seq = 41,
	.ino = 131,
	.offset = 1048576,
	.isize_after = 7680,
	.past_eof = 1040384,
	.exposed_ns = 2500000,
	.latency_ns = 999,
	.submitted = 1048576,
	.mapped = 1048577,
	.dio_size = 7680,
	.ret = -14,
	.pid = 4711,
	.tid = 4712,
	.dev = 8 << 20 | 1,
	.flags = E4D_F_EXTEND | E4D_F_NEW | E4D_F_ORPHAN,
	.comm = "postgres",
	.seen = E4D_SEEN_DIO_SIZE | E4D_SEEN_RET | E4D_SEEN_ORPHAN,
	.doubt = 0,
	.blkbits = 12,
	.tier = E4D_TIER_FENTRY,
	.verdict = E4D_LEAK,
	.evidence = E4D_OBSERVED,
};

#define PATH "/mnt/a b/x,y\"\\z.dat"

static const struct {
	const char *text;
	int want;
} cases[] = {
	{"dev=8:1 comm=postgres verdict=leak submitted>1K", 1},
	{"dev=8:1 comm=postgres verdict=leak submitted>1M", 0},
	{"submitted>=1M submitted<=1M submitted=1M submitted=1m", 1},
	{"submitted<1M", 0},
	{"submitted!=1M", 0},
	{"submitted!=1K", 1},
	{"mapped>1M", 1},
	{"offset<18446744073709551615", 1},
	{"offset<15T", 1},
	{"blksize=4K", 1},
	{"verdict=leak,trim-failed", 1},
	{"verdict!=clean,leak", 0},
	{"verdict!=clean,trimmed", 1},
	{"verdict~l*k", 1},
	{"verdict~trim*", 0},
	{"tier=fentry evidence=observed", 1},
	{"comm=\"postgres\"", 1},
	{"comm=\"post\"gres", 1},
	{"comm~post*", 1},
	{"comm=post*", 0},
	{"comm~p?st[a-g]res", 1},
	{"comm!=postgres", 0},
	{"comm=null", 0},
	{"comm=\"p\\x6fstgres\"", 1},
	{"flags=extend", 1},
	{"flags=extend flags=new", 1},
	{"flags=async", 0},
	{"flags=async,new", 1},
	{"flags!=async", 1},
	{"flags!=async,new", 0},
	{"flags~ext*", 1},
	{"flags~async*", 0},
	{"doubt=lost", 0},
	{"doubt!=lost", 1},
	{"ret=-14", 1},
	{"ret<0", 1},
	{"ret>-15", 1},
	{"ret>=-14 ret<=-14", 1},
	{"ret=-EFAULT", 1},
	{"ret=-ENOSPC,-EFAULT", 1},
	{"ret=-EIO", 0},
	{"ret>=0", 0},
	{"ret<18446744", 1},
	{"ret=-9223372036854775807", 0},
	{"exposed_ns>2ms", 1},
	{"exposed_ns>2500us", 0},
	{"exposed_ns>=2500us", 1},
	{"latency_ns<1us", 1},
	{"ts_ns=5s", 1},
	{"fallback=null", 1},
	{"fallback!=null", 0},
	{"fallback=0", 0},
	{"fallback!=5", 0},
	{"fallback<5", 0},
	{"fallback>-5", 0},
	{"fallback=0,null", 1},
	{"trim_ret=null trim_from=null dio_error=null", 1},
	{"dio_size=null", 0},
	{"dio_size!=null", 1},
	{"ret!=null,5", 1},
	{"orphan=true", 1},
	{"orphan!=true", 0},
	{"orphan!=null", 1},
	{"path~/mnt/*", 1},
	{"path=/mnt/*", 1},
	{"path=*.dat", 1},
	{"path!=*.log", 1},
	{"path=\"/mnt/a b/*\"", 1},
	{"path=/no,\"/mnt/a b/*\"", 1},
	{"path=\"/mnt/a b/x,y\\\"\\\\\\\\z.dat\"", 1},
	{"path~*,y*", 1},
	{"path=null", 0},
	{"path!=null", 1},
	{"path=\"null\"", 0},
	{"dev!=8:2", 1},
	{"dev=8:2,8:1", 1},
	{"  pid=4711\t\n tid=4712  ", 1},
	{"pid=4712", 0},
	{"pid>4294967296", 0},
	{"ino=131 seq=41 cpu=0", 1},
};

static void test_good(void **state)
{
	char err[E4D_FILTER_ERR];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct e4d_filter *f;
		int ret = e4d_filter_parse(cases[i].text, &f, err, sizeof(err));
		int got;

		if (ret)
			print_error("%s: %s\n", cases[i].text, err);
		assert_int_equal(ret, 0);
		got = e4d_filter_match(f, &rec, PATH);
		if (got != cases[i].want)
			print_error("%s: expected %d, got %d\n", cases[i].text, cases[i].want, got);
		assert_int_equal(got, cases[i].want);
		e4d_filter_free(f);
	}
}

static void test_null_path(void **state)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {{"path=null", 1}, {"path!=null", 0},    {"path=*", 0},      {"path~*", 0},
	            {"path!=/x", 0},  {"path=\"null\"", 0}, {"path=/x,null", 1}};
	struct e4d_filter *f;
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(e4d_filter_parse(rows[i].text, &f, err, sizeof(err)), 0);
		assert_true(e4d_filter_needs_path(f));
		assert_int_equal(e4d_filter_match(f, &rec, NULL), rows[i].want);
		e4d_filter_free(f);
	}
	assert_true(e4d_filter_match(NULL, &rec, NULL));
	assert_false(e4d_filter_needs_path(NULL));
}

static const struct {
	const char *text;
	unsigned int column;
	const char *says;
} bad[] = {
	{"", 1, "empty"},
	{"   ", 1, "empty"},
	{"colour=red", 1, "fields: ts ts_ns"},
	{"pid=1 Pid=2", 7, "no field 'Pid'"},
	{"=5", 1, "field name is missing"},
	{"pid", 4, "operator is missing"},
	{"pid 5", 4, "operator is missing"},
	{"pid=", 5, "value is missing"},
	{"pid= 5", 5, "value is missing"},
	{"pid=1,", 7, "value is missing"},
	{"pid=1,,2", 7, "value is missing"},
	{"comm=\"\"", 6, "value is missing"},
	{"pid~4*", 4, "use =, !=, <"},
	{"comm<a", 5, "use =, != or ~"},
	{"orphan>true", 7, "use = or !="},
	{"dev>8:1", 4, "use = or !="},
	{"flags>new", 6, "use =, != or ~"},
	{"pid=x", 5, "whole number"},
	{"pid=1K", 5, "whole number"},
	{"pid=-1", 5, "never negative"},
	{"pid=null", 5, "no value for pid"},
	{"pid=0x10", 5, "no value"},
	{"pid=1.5", 5, "no value"},
	{"submitted>1.5M", 11, "such as 64K"},
	{"submitted>K", 11, "such as 64K"},
	{"submitted>1X", 11, "such as 64K"},
	{"latency_ns>1M", 12, "such as 10ms"},
	{"offset=18446744073709551616", 8, "too large"},
	{"offset=16777216T", 8, "too large"},
	{"latency_ns>18446744074s", 12, "too large"},
	{"ret<9223372036854775808", 5, "too large"},
	{"ret=-9223372036854775808", 5, "too large"},
	{"ret=--5", 5, "no value"},
	{"ret=-EBOGUS", 5, "no error"},
	{"ret=-", 5, "no value"},
	{"verdict=leaks", 9, "one of: unknown, clean"},
	{"verdict=leak,no", 14, "one of"},
	{"flags=orphan", 7, "one of: extend"},
	{"doubt=much", 7, "lost, half, race, settle"},
	{"tier=ebpf", 6, "one of"},
	{"orphan=1", 8, "true, false or null"},
	{"dev=no-such-device", 5, "major:minor"},
	{"dev=8:", 5, "major:minor"},
	{"dev=4096:0", 5, "major:minor"},
	{"dev=0:1048576", 5, "major:minor"},
	{"dev=99999999999999999999:0", 5, "major:minor"},
	{"dev=../../etc", 5, "mount point"},
	{"dev=/dev/null", 5, "Block device required"},
	{"dev=/proc/self", 5, "nothing is mounted on /proc/self; "},
	{"dev=./no-such-directory", 5, "No such file or directory"},
	{"comm=\"abc", 6, "not closed"},
	{"comm=a\"bc d", 7, "not closed"},
	{"comm=\"a\\", 8, "unknown escape"},
	{"comm=\"\\x00\"", 7, "NUL"},
	{"comm=\"\\x4\"", 7, "unknown escape"},
	{"comm=\"\\n\"", 7, "unknown escape"},
	{"comm=sixteen-bytes-xx", 6, "15 bytes"},
	{"ts>2026", 3, "= or !="},
	{"ts=2026-05-04", 4, "use ts_ns"},
	{"fallback<null", 10, "null has no order"},
	{"pid=1 \033[31m=2", 7, "missing"},
	{"pid==1", 5, "no value"},
	{"pid=<1", 5, "no value"},
	{"pid=1;tid=2", 5, "no value"},
};

static void test_bad(void **state)
{
	char err[E4D_FILTER_ERR], want[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct e4d_filter *f = (void *)1;
		int ret = e4d_filter_parse(bad[i].text, &f, err, sizeof(err));
		bool ok;

		snprintf(want, sizeof(want), "filter, column %u: ", bad[i].column);
		ok = ret == -EINVAL && !strncmp(err, want, strlen(want)) &&
		     strstr(err, bad[i].says);
		if (!ok)
			print_error("%s: expected '%s...%s', got %d '%s'\n", bad[i].text, want,
			            bad[i].says, ret, err);
		assert_true(ok);
		assert_null(f);
		/* a short buffer is never overrun, none at all is allowed */
		memset(err, 'x', sizeof(err));
		assert_int_equal(e4d_filter_parse(bad[i].text, &f, err, 9), -EINVAL);
		assert_true(memchr(err, 0, 9) && err[9] == 'x');
		assert_int_equal(e4d_filter_parse(bad[i].text, &f, NULL, 0), -EINVAL);
	}
}

static void test_length(void **state)
{
	static char text[E4D_FILTER_MAX + 2];
	struct e4d_filter *f;
	char err[256];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "path=", 5);
	assert_int_equal(e4d_filter_parse(text, &f, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "column 4097: longer than 4096 bytes"));
	text[E4D_FILTER_MAX] = 0;
	assert_int_equal(e4d_filter_parse(text, &f, err, sizeof(err)), 0);
	e4d_filter_free(f);
	memcpy(text, "dev=/", 5);
	assert_int_equal(e4d_filter_parse(text, &f, err, sizeof(err)), -EINVAL);
}

static void test_add(void **state)
{
	struct e4d_filter *f;
	char err[256];

	(void)state;
	assert_int_equal(e4d_filter_parse("pid=4711", &f, err, sizeof(err)), 0);
	assert_true(e4d_filter_match(f, &rec, NULL));
	assert_int_equal(e4d_filter_add(f, "pid=", err, sizeof(err)), -EINVAL);
	assert_true(e4d_filter_match(f, &rec, NULL));
	assert_int_equal(e4d_filter_add(f, "verdict=leak path=null", err, sizeof(err)), 0);
	assert_true(e4d_filter_match(f, &rec, NULL));
	assert_false(e4d_filter_match(f, &rec, "/x"));
	assert_string_equal(e4d_filter_text(f), "pid=4711 verdict=leak path=null");
	assert_false(e4d_filter_needs_comm(f));
	assert_int_equal(e4d_filter_add(f, "verdict=clean", err, sizeof(err)), 0);
	assert_false(e4d_filter_match(f, &rec, NULL));
	e4d_filter_free(f);
	e4d_filter_free(NULL);
}

/* A comm that fills its 16 bytes is not terminated. */
static void test_full_comm(void **state)
{
	struct e4d_record r = rec;
	struct e4d_filter *f;
	char err[256];

	(void)state;
	memset(r.comm, 'c', sizeof(r.comm));
	r.dio_error = 0x6363; /* what follows comm must not be read */
	assert_int_equal(e4d_filter_parse("comm~cccccccccccccccc", &f, err, sizeof(err)), 0);
	assert_true(e4d_filter_match(f, &r, NULL));
	e4d_filter_free(f);
	assert_int_equal(e4d_filter_parse("comm~ccccccccccccccccc*", &f, err, sizeof(err)), 0);
	assert_false(e4d_filter_match(f, &r, NULL));
	e4d_filter_free(f);
}

/* A file name of invalid UTF-8 must not hide from a pattern in any locale. */
static void test_invalid_utf8(void **state)
{
	static const char *const locales[] = {"C", "C.UTF-8"};
	struct e4d_filter *f;
	char err[256];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		if (!setlocale(LC_ALL, locales[i]))
			continue;
		assert_int_equal(e4d_filter_parse("path=/mnt/*.dat", &f, err, sizeof(err)), 0);
		assert_true(e4d_filter_match(f, &rec, "/mnt/\xff\xc0\xaf.dat"));
		assert_false(e4d_filter_match(f, &rec, "/mnt/\xff\xc0\xaf.log"));
		e4d_filter_free(f);
	}
	setlocale(LC_ALL, "C");
}

/* Many stars over a long name: must end, and soon. */
static void test_stars(void **state)
{
	static char path[4096];
	struct e4d_filter *f;
	char err[256];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	assert_int_equal(e4d_filter_parse("path=*a*a*a*a*a*a*a*a*a*b", &f, err, sizeof(err)), 0);
	assert_false(e4d_filter_match(f, &rec, path));
	e4d_filter_free(f);
}

static void test_dev_names(void **state)
{
	struct e4d_filter *f;
	struct e4d_config cfg = {0};
	struct stat st;
	char err[256];

	(void)state;
	assert_int_equal(stat("/", &st), 0);
	assert_int_equal(e4d_filter_parse("dev=/", &f, err, sizeof(err)), 0);
	e4d_filter_pushdown(f, &cfg);
	assert_int_equal(cfg.dev, major(st.st_dev) << 20 | minor(st.st_dev));
	e4d_filter_free(f);
	if (stat("/sys/class/block/loop0", &st)) {
		print_message("no loop0 here: names are not tried\n");
		return;
	}
	for (int i = 0; i < 2; i++) {
		memset(&cfg, 0, sizeof(cfg));
		assert_int_equal(
			e4d_filter_parse(i ? "dev=/dev/loop0" : "dev=loop0", &f, err, sizeof(err)),
			0);
		e4d_filter_pushdown(f, &cfg);
		assert_int_equal(cfg.dev, 7 << 20);
		e4d_filter_free(f);
	}
}

static unsigned long long seed = 0x5eed1e55;

static unsigned int rnd(unsigned int n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(seed >> 33) % n;
}

static const char *const fields[] = {"pid", "comm",   "dev",        "path",   "flags",    "verdict",
                                     "ret", "offset", "latency_ns", "orphan", "fallback", "doubt"};
static const char *const operators[] = {"=", "=", "!=", "<", "<=", ">", ">=", "~"};
static const char *const values[] = {
	" ",      ",",         "\"",   "\\", "null", "-",   "1K",    "18446744073709551615",
	"extend", "leak",      "*",    "[",  "]",    "8:1", "loop0", "/",
	"\\x41",  "\"\\x41\"", "true", "ms", "-EIO", "\t",  "\xff",  "7",
	"lost",
};
#define PICK(table) table[rnd(sizeof(table) / sizeof(table[0]))]

/* One to four terms, mostly well formed, with random bytes here and there. */
static void random_text(char text[512])
{
	text[0] = 0;
	for (unsigned int n = rnd(4) + 1; n; n--) {
		char byte[2] = {(char)(1 + rnd(255)), 0};

		strcat(text, rnd(30) ? PICK(fields) : byte);
		strcat(text, rnd(30) ? PICK(operators) : byte);
		for (unsigned int v = rnd(6) ? 1 : rnd(5); v; v--)
			strcat(text, rnd(30) ? PICK(values) : byte);
		strcat(text, rnd(10) ? " " : ",");
	}
}

/* 100,000 random texts: no crash, and a message with a column if bad. */
static void test_fuzz(void **state)
{
	char text[512], err[E4D_FILTER_ERR];
	unsigned int good = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct e4d_config cfg = {0};
		struct e4d_filter *f;
		int ret;

		random_text(text);
		ret = e4d_filter_parse(text, &f, err, sizeof(err));
		assert_true(ret == 0 || (ret == -EINVAL && !f && strstr(err, "column")));
		if (ret)
			continue;
		good++;
		e4d_filter_match(f, &rec, i & 1 ? PATH : NULL);
		e4d_filter_pushdown(f, &cfg);
		e4d_filter_free(f);
	}
	print_message("%u of 100000 random texts were filters\n", good);
	assert_true(good > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),         cmocka_unit_test(test_null_path),
		cmocka_unit_test(test_bad),          cmocka_unit_test(test_length),
		cmocka_unit_test(test_add),          cmocka_unit_test(test_full_comm),
		cmocka_unit_test(test_invalid_utf8), cmocka_unit_test(test_stars),
		cmocka_unit_test(test_dev_names),    cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
