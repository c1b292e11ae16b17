/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* validate: which cases, within which bounds, and each invariant broken alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include <cmocka.h>
#include <jansson.h>

#include "exitcode.h"
#include "validate/report.h"

static void test_run_globs(void **state)
{
	struct e4d_vselect s = {0};

	assert_true(e4d_vselect_wanted(&s, "pwrite/append"));
	assert_int_equal(e4d_vselect_run(&s, "pwrite/app*"), 0);
	assert_int_equal(e4d_vselect_run(&s, "*/hole"), 0);
	assert_true(e4d_vselect_wanted(&s, "pwrite/append"));
	assert_true(e4d_vselect_wanted(&s, "libaio/hole"));
	assert_false(e4d_vselect_wanted(&s, "libaio/hole-fault"));
	assert_int_equal(e4d_vselect_run(&s, "pwrite"), -ENOENT);
	for (size_t i = s.glob_count; i < E4D_V_GLOBS; i++)
		assert_int_equal(e4d_vselect_run(&s, "*"), 0);
	assert_int_equal(e4d_vselect_run(&s, "*"), -E2BIG);
	e4d_vselect_free(&s);
}

static void exclude(struct e4d_vselect *s, const char *text)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(f);
	assert_int_equal(e4d_vselect_exclude(s, f), 0);
	fclose(f);
}

static void test_exclude_syntax(void **state)
{
	struct e4d_vselect s = {0};

	exclude(&s,
	        "# a comment\n\n  pwrite/append   # known\nlibaio/hole#4711\r\n\t\nsync/*\nlast");
	assert_int_equal(s.excluded_count, 4);
	assert_true(e4d_vselect_excluded(&s, "pwrite/append"));
	assert_true(e4d_vselect_excluded(&s, "libaio/hole"));
	assert_false(e4d_vselect_excluded(&s, "sync/append")); /* a name, no glob */
	assert_false(e4d_vselect_excluded(&s, "pwrite/append-fault"));
	assert_true(e4d_vselect_excluded(&s, "last"));
	exclude(&s, "sync/append");
	assert_true(e4d_vselect_excluded(&s, "sync/append"));
	e4d_vselect_free(&s);
}

static void test_bounds_hold_for_the_whole_table(void **state)
{
	unsigned int writes = 0;
	uint64_t bytes = 0;

	for (size_t i = 0; i < e4d_vcase_count; i++) {
		writes += e4d_vcase_writes(&e4d_vcases[i]);
		bytes += e4d_vcase_bytes(&e4d_vcases[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(e4d_vcases[i].w.name, e4d_vcases[k].w.name);
	}
	assert_true(writes <= 200);
	assert_true(bytes <= 64 << 20);
}

/* A write of 256 KiB at 0 of an empty file, as it should be. */
static struct wl_extent extent;
static const struct e4d_vfs fs = {.blksize = 4096, .unit = 4096, .extents = true};

static void good(struct e4d_vresult *r, struct wl_outcome *o, const struct e4d_vcase *c)
{
	memset(r, 0, sizeof(*r));
	memset(o, 0, sizeof(*o));
	r->c = c;
	r->res.submitted = 262144;
	r->res.ret = 262144;
	r->res.writes = 1;
	r->res.done = true;
	r->isize_after = 262144;
	o->st.st_blocks = 512;
	o->data_ok = true;
	extent = (struct wl_extent){.end = 262144};
	o->after = (struct wl_map){.ext = &extent, .count = 1};
	r->records = 1;
	r->traced = true;
	r->rec.verdict = E4D_CLEAN;
	r->rec.isize_after = 262144;
	r->rec.submitted = 262144;
	r->rec.ret = 262144;
	r->rec.seen = E4D_SEEN_RET;
}

static void expect(struct e4d_vresult *r, const struct wl_outcome *o, const char *why)
{
	e4d_vcheck_kernel(r, o, &fs);
	assert_int_equal(r->kernel, *why ? E4D_V_FAIL : E4D_V_PASS);
	assert_true(!strncmp(r->why, why, strlen(why)));
	assert_null(strchr(r->why, ';')); /* this one alone */
}

static void test_each_invariant(void **state)
{
	static const struct e4d_vcase all = {.w.len = 262144}, again = {.want = E4D_V_AGAIN},
				      fault = {.w.readable = 7680, .want = E4D_V_SHORT};
	struct wl_outcome o;
	struct e4d_vresult r;

	good(&r, &o, &all);
	expect(&r, &o, "");
	r.isize_after = 262145;
	expect(&r, &o, "size:");
	good(&r, &o, &all);
	r.truth.past_eof = 4096;
	expect(&r, &o, "past-eof: 4096 ");
	good(&r, &o, &all);
	o.st.st_blocks = 504;
	expect(&r, &o, "blocks:");
	o.st.st_blocks = 520;
	expect(&r, &o, "blocks:");
	good(&r, &o, &all);
	o.data_ok = false;
	expect(&r, &o, "data:");
	good(&r, &o, &all);
	r.res.ret = r.isize_after = 4096;
	expect(&r, &o, "ret:");
	good(&r, &o, &again);
	r.res.ret = -EAGAIN;
	r.isize_after = 0;
	expect(&r, &o, "");
	good(&r, &o, &fault);
	expect(&r, &o, "ret:"); /* more than the buffer holds */
	r.res.ret = r.isize_after = 7680;
	expect(&r, &o, "");
	r.res.ret = -EFAULT;
	expect(&r, &o, "size:");
}

static void test_each_disagreement(void **state)
{
	static const struct e4d_vcase all = {.w.len = 262144};
	struct wl_outcome o;
	struct e4d_vresult r;

#define TOOL(change, want)                                                                         \
	good(&r, &o, &all);                                                                        \
	change;                                                                                    \
	e4d_vcheck_tool(&r, E4D_TIER_FENTRY);                                                      \
	assert_int_equal(r.tool, want)

	TOOL((void)0, E4D_V_AGREES);
	TOOL(r.records = 0, E4D_V_DISAGREES);
	TOOL(r.records = 2, E4D_V_DISAGREES);
	TOOL(r.rec.verdict = E4D_UNKNOWN, E4D_V_BLIND);
	TOOL(r.rec.verdict = E4D_LEAK, E4D_V_DISAGREES);
	TOOL(r.truth.past_eof = 4096, E4D_V_DISAGREES);
	TOOL(r.truth.past_eof = r.rec.past_eof = 4096; r.rec.verdict = E4D_LEAK, E4D_V_AGREES);
	TOOL(r.truth.past_eof = 8192; r.rec.past_eof = 4096;
	     r.rec.verdict = E4D_LEAK, E4D_V_DISAGREES);
	TOOL(r.rec.isize_after = 0, E4D_V_DISAGREES);
	TOOL(r.truth.prealloc = 4096, E4D_V_DISAGREES);
	TOOL(r.rec.ret = -EFAULT, E4D_V_DISAGREES);
	TOOL(r.rec.offset = 512, E4D_V_DISAGREES);
	TOOL(r.rec.submitted = 4096, E4D_V_DISAGREES);
	TOOL(r.records = 0; r.res.ret = -EAGAIN, E4D_V_DISAGREES);
	r.res.ret = -EAGAIN;
	e4d_vcheck_tool(&r, E4D_TIER_TRACEPOINT);
	assert_int_equal(r.tool, E4D_V_AGREES);
#undef TOOL
}

static char *printed(const struct e4d_vrun *run, const char *format)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	e4d_vformat_find(format)->print(run, f);
	fclose(f);
	return text;
}

/* The kernel passes, the tool does not: a failure of its own, and no 0. */
static void test_tool_apart(void **state)
{
	static const struct e4d_vcase c = {.w.name = "a/b"};
	struct e4d_vresult r = {.c = &c, .tool = E4D_V_DISAGREES, .tool_why = "saw 0 of 1 writes"};
	struct e4d_vrun run = {.results = &r, .count = 1, .passed = 1, .disagree = 1};
	json_t *doc;
	char *text;

	run.mount.dir = "/\"<&'\x80";
	run.tracer.tier = E4D_TIER_FENTRY;
	assert_int_equal(e4d_vrun_exit(&run), E4D_EXIT_BLIND);
	text = printed(&run, "ktap");
	assert_non_null(strstr(text, "\nok 1 a/b\n# tracer: a/b: saw 0 of 1 writes\n"));
	assert_non_null(strstr(text, "\nnot ok 2 tracer\n"));
	free(text);
	text = printed(&run, "tap13");
	assert_non_null(strstr(text, "\nnot ok 2 - tracer\n  ---\n"));
	free(text);
	text = printed(&run, "junit");
	assert_non_null(strstr(text, "failures=\"0\" errors=\"1\""));
	assert_non_null(strstr(text, "value=\"/&quot;&lt;&amp;'\\x80\""));
	free(text);
	text = printed(&run, "json");
	doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(doc, "tracer"), "result")),
		"disagrees");
	assert_string_equal(json_string_value(json_object_get(doc, "dir")), "/\"<&'\xc2\x80");
	json_decref(doc);
	free(text);
	run.failed = 1; /* the kernel's failure comes first */
	assert_int_equal(e4d_vrun_exit(&run), E4D_EXIT_FINDING);
	run.failed = run.passed = 0;
	assert_int_equal(e4d_vrun_exit(&run), E4D_EXIT_NOTHING);
	assert_null(e4d_vformat_find("xml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run_globs),
		cmocka_unit_test(test_exclude_syntax),
		cmocka_unit_test(test_bounds_hold_for_the_whole_table),
		cmocka_unit_test(test_each_invariant),
		cmocka_unit_test(test_each_disagreement),
		cmocka_unit_test(test_tool_apart),
	};

	return cmocka_run_group_tests_name("validate", tests, NULL, NULL);
}
