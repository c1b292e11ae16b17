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
#include "lab/fsck.h"
#include "lab/image.h"
#include "lab/lab.h"
#include "lab/medium.h"
#include "validate/report.h"

static bool wanted(struct e4d_vselect *s, const char *name)
{
	return e4d_vselect_wanted(s, name, name);
}

static bool excluded(const struct e4d_vselect *s, const char *name)
{
	return e4d_vselect_excluded(s, name, name);
}

static void test_run_globs(void **state)
{
	struct e4d_vselect s = {0};

	assert_true(wanted(&s, "pwrite/append"));
	assert_int_equal(e4d_vselect_run(&s, "pwrite/app*"), 0);
	assert_int_equal(e4d_vselect_run(&s, "*/hole"), 0);
	assert_true(wanted(&s, "pwrite/append"));
	assert_string_equal(e4d_vselect_unmatched(&s), "*/hole");
	assert_true(wanted(&s, "libaio/hole"));
	assert_false(wanted(&s, "libaio/hole-fault"));
	assert_null(e4d_vselect_unmatched(&s));
	assert_int_equal(e4d_vselect_run(&s, "1k/pwrite/*"), 0);
	assert_false(e4d_vselect_wanted(&s, "pwrite/prealloc", "4k/pwrite/prealloc"));
	assert_string_equal(e4d_vselect_unmatched(&s), "1k/pwrite/*");
	assert_true(e4d_vselect_wanted(&s, "pwrite/prealloc", "1k/pwrite/prealloc"));
	assert_true(e4d_vselect_wanted(&s, "pwrite/append", "4k/pwrite/append"));
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
	assert_true(excluded(&s, "pwrite/append"));
	assert_true(excluded(&s, "libaio/hole"));
	assert_false(excluded(&s, "sync/append")); /* a name, no glob */
	assert_false(excluded(&s, "pwrite/append-fault"));
	assert_true(excluded(&s, "last"));
	assert_true(e4d_vselect_excluded(&s, "pwrite/append", "1k/pwrite/append"));
	assert_false(e4d_vselect_excluded(&s, "pwrite/hole", "1k/pwrite/hole"));
	exclude(&s, "1k/pwrite/hole");
	assert_true(e4d_vselect_excluded(&s, "pwrite/hole", "1k/pwrite/hole"));
	assert_false(e4d_vselect_excluded(&s, "pwrite/hole", "4k/pwrite/hole"));
	exclude(&s, "sync/append");
	assert_true(excluded(&s, "sync/append"));
	e4d_vselect_free(&s);
}

static void test_bounds_hold_for_the_whole_table(void **state)
{
	unsigned int writes = 0;
	uint64_t bytes = 0;

	for (size_t i = 0; i < e4d_vcase_count; i++) {
		if (e4d_vcases[i].medium == E4D_V_SAFE) {
			writes += e4d_vcase_writes(&e4d_vcases[i]);
			bytes += e4d_vcase_bytes(&e4d_vcases[i]);
		}
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(e4d_vcases[i].w.name, e4d_vcases[k].w.name);
	}
	assert_true(writes <= 200);
	assert_true(bytes <= 64 << 20);
}

/* Each case on each kind of image, with names of their own that were not cut. */
static void test_lab_plan(void **state)
{
	struct e4d_vrun r = {0};
	struct e4d_vselect s = {0};

	assert_int_equal(e4d_lab_plan(&r, &s), 0);
	assert_int_equal(r.count, lab_kind_count * e4d_vcase_count);
	for (size_t i = 0; i < r.count; i++) {
		const struct lab_kind *kind = lab_kind_of(&r.results[i]);

		assert_non_null(kind);
		assert_string_equal(r.results[i].name + strlen(kind->name) + 1,
		                    r.results[i].c->w.name);
		assert_true((lab_medium_of(r.results[i].c) == NULL) ==
		            (r.results[i].c->medium == E4D_V_FSCK));
	}
	free(r.results);
}

/* What e2fsck 1.47 said of a real image; the last is of an inode that no case has. */
static void test_fsck_words(void **state)
{
	static const struct e4d_vcase c = {.w.name = "a/b"};
	struct e4d_vresult r[2] = {{.c = &c, .ino = 13, .res.done = true},
	                           {.c = &c, .ino = 22, .res.done = true}};
	static const char head[] = "Pass 1: Checking inodes, blocks, and sizes\n";
	static const char known[] =
		"Inode 13, i_size is 7680, should be 1048576.  Fix? no\n\n"
		"Inode 22, end of extent exceeds allowed value\n"
		"\t(logical block 2399, physical block 8305, len 257)\nClear? no\n\n"
		"Inode 22, i_blocks is 11680, should be 9624.  Fix? no\n\n"
		"Pass 2: Checking directory structure\n"
		"Block bitmap differences:  -(8305--8561)\nFix? no\n\n"
		"/dev/loop0: ********** WARNING: Filesystem still has errors **********\n\n"
		"/dev/loop0: 22/16384 files (13.6% non-contiguous), 6598/16384 blocks\n";
	char text[2048], other[100];

	snprintf(text, sizeof(text), "%s%s", head, known);
	lab_fsck_read(text, r, 2, other, sizeof(other));
	assert_string_equal(other, "");
	assert_int_equal(r[0].kernel, E4D_V_FAIL);
	assert_string_equal(r[0].why, "e2fsck: Inode 13, i_size is 7680, should be 1048576.");
	assert_string_equal(r[1].why, "e2fsck: Inode 22, end of extent exceeds allowed value; "
	                              "e2fsck: Inode 22, i_blocks is 11680, should be 9624.");
	r[0] = (struct e4d_vresult){.c = &c, .ino = 14, .res.done = true};
	lab_fsck_read(text, r, 1, other, sizeof(other));
	assert_int_equal(r[0].kernel, E4D_V_PASS);
	assert_string_equal(other, "Inode 13, i_size is 7680, should be 1048576.");
	lab_fsck_read("Free blocks count wrong (1, counted=2).\nFix? no\n", r, 1, other,
	              sizeof(other));
	assert_string_equal(other, "Free blocks count wrong (1, counted=2).");
	lab_fsck_read(head, r, 1, other, sizeof(other));
	assert_string_equal(other, "");
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
	r->isize_after = r->isize_live = 262144;
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
				      less = {.w.len = 262144,
	                                      .want = E4D_V_LESS,
	                                      .trouble = E4D_V_NOSPC},
				      killed = {.w.readable = 7680, .want = E4D_V_KILLED},
				      crash = {.want = E4D_V_CRASH},
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
	expect(&r, &o,
	       "size: the write failed with -14, yet i_size moved from 0 to 7680, with no "
	       "block past it");
	r.truth.past_eof = 4096;
	e4d_vcheck_kernel(&r, &o, &fs);
	assert_non_null(strstr(r.why, "to 7680; past-eof: 4096 "));
	good(&r, &o, &less);
	expect(&r, &o, "ret:");
	r.res.ret = -ENOSPC;
	r.isize_after = 0;
	expect(&r, &o, "");
	good(&r, &o, &killed);
	r.res.ret = -EINTR;
	expect(&r, &o, "size:"); /* more than it could have written */
	r.isize_after = 7680;
	expect(&r, &o, "");
	r.isize_after = 0;
	expect(&r, &o, "");
	good(&r, &o, &crash); /* how far it came is not known, blocks past EOF are */
	r.isize_after = 8192;
	o.data_ok = false;
	expect(&r, &o, "");
	r.truth.past_eof = 4096;
	expect(&r, &o, "past-eof:");
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
	TOOL(r.live.past_eof = 4096, E4D_V_DISAGREES);
	TOOL(r.live.past_eof = r.rec.past_eof = 4096; r.rec.verdict = E4D_LEAK, E4D_V_AGREES);
	TOOL(r.live.past_eof = 8192; r.rec.past_eof = 4096;
	     r.rec.verdict = E4D_LEAK, E4D_V_DISAGREES);
	TOOL(r.rec.isize_after = 0, E4D_V_DISAGREES);
	TOOL(r.live.prealloc = 4096, E4D_V_DISAGREES);
	TOOL(r.rec.ret = -EFAULT, E4D_V_DISAGREES);
	TOOL(r.rec.offset = 512, E4D_V_DISAGREES);
	TOOL(r.rec.submitted = 4096, E4D_V_DISAGREES);
	TOOL(r.records = 0; r.res.ret = -EAGAIN, E4D_V_DISAGREES);
	assert_int_equal(e4d_vcheck_due(&r, E4D_TIER_FENTRY), 1);
	assert_int_equal(e4d_vcheck_due(&r, E4D_TIER_TRACEPOINT), 0);
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
	struct e4d_vresult r = {
		.c = &c, .name = "a/b", .tool = E4D_V_DISAGREES, .tool_why = "saw 0 of 1 writes"};
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
	assert_non_null(strstr(text, ">a/b: saw 0 of 1 writes\n</error></testcase>"));
	assert_non_null(strstr(text, "value=\"/&quot;&lt;&amp;'\\x80\""));
	free(text);
	text = printed(&run, "table");
	assert_non_null(strstr(text, "\ntracer: a/b: saw 0 of 1 writes\ntracer: tier fentry: "));
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
		cmocka_unit_test(test_lab_plan),
		cmocka_unit_test(test_fsck_words),
		cmocka_unit_test(test_each_invariant),
		cmocka_unit_test(test_each_disagreement),
		cmocka_unit_test(test_tool_apart),
	};

	return cmocka_run_group_tests_name("validate", tests, NULL, NULL);
}
