/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What of a filter goes to BPF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "filter/filter.h"

static void test_pushdown(void **state)
{
	static const struct {
		const char *text;
		__u32 dev;
		__u64 ino;
		__u32 tgid;
		__u8 extend;
	} rows[] = {
		{"dev=8:1 ino=131 pid=4711 flags=extend", 8 << 20 | 1, 131, 4711, 1},
		{"verdict=leak submitted>1M", 0, 0, 0, 0},
		{"dev=8:1,8:2 ino=1,2 pid=1,2 flags=extend,new", 0, 0, 0, 0},
		{"dev!=8:1 ino!=131 pid!=4711 flags!=extend", 0, 0, 0, 0},
		{"ino>131 pid<4711 flags~extend", 0, 0, 0, 0},
		{"pid=4294967297", 0, 0, 0, 0},
		{"tid=4711", 0, 0, 0, 0},
		{"pid=4711 pid=4712", 0, 0, 4711, 0},
		{"flags=new flags=extend", 0, 0, 0, 1},
		{"flags=async-extend", 0, 0, 0, 0},
		{"ino=18446744073709551615", 0, UINT64_MAX, 0, 0},
	};
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct e4d_config cfg = {.self_tgid = 9, .all = 1};
		struct e4d_filter *f;

		assert_int_equal(e4d_filter_parse(rows[i].text, &f, err, sizeof(err)), 0);
		e4d_filter_pushdown(f, &cfg);
		assert_int_equal(cfg.dev, rows[i].dev);
		assert_int_equal(cfg.ino, rows[i].ino);
		assert_int_equal(cfg.tgid, rows[i].tgid);
		assert_int_equal(cfg.extend_only, rows[i].extend);
		assert_int_equal(cfg.self_tgid, 9);
		assert_int_equal(cfg.all, 1);
		e4d_filter_free(f);
	}
}

/* The name and its end, and nothing behind it. */
static void test_pushdown_comm(void **state)
{
	static const struct {
		const char *text, *name; /* NULL: left to user space */
	} rows[] = {
		{"comm=dd", "dd"},
		{"comm=a15-bytes-long-", "a15-bytes-long-"},
		{"comm=eight-by", "eight-by"},
		{"comm=dd comm=fio", "dd"},
		{"comm=dd,fio", NULL},
		{"comm!=dd", NULL},
		{"comm~dd", NULL},
		{"comm=null", "null"}, /* a record always has one */
		{"comm=\"null\"", "null"},
	};
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[E4D_COMM_LEN] = "", mask[E4D_COMM_LEN] = "";
		struct e4d_config cfg = {0};
		struct e4d_filter *f;

		assert_int_equal(e4d_filter_parse(rows[i].text, &f, err, sizeof(err)), 0);
		e4d_filter_pushdown(f, &cfg);
		if (rows[i].name) {
			memcpy(name, rows[i].name, strlen(rows[i].name));
			memset(mask, 0xff, strlen(rows[i].name) + 1);
		}
		assert_memory_equal(cfg.comm, name, sizeof(name));
		assert_memory_equal(cfg.comm_mask, mask, sizeof(mask));
		e4d_filter_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pushdown),
		cmocka_unit_test(test_pushdown_comm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
