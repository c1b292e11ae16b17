/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* validate's comparison of two runs, and what --expect makes of one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "validate/diff.h"
#include "validate/expect.h"
#include "validate/select.h"

#define HEAD                                                                                       \
	"{\"version\":1,\"program\":\"ext4diotop 0.1.0\",\"kernel\":\"6.12.1\",\"dir\":\"/mnt\","  \
	"\"device\":\"loop0\",\"blksize\":4096,\"unit\":4096,\"cases\":["
#define TAIL(result) "],\"tracer\":{\"result\":\"" result "\",\"why\":\"w\"}}"

static void load(struct e4d_vsaved *s, const char *text)
{
	char why[200] = "";

	if (e4d_vsaved_parse(s, text, strlen(text), why, sizeof(why)))
		fail_msg("%s", why);
}

static void refused(const char *text, size_t len, const char *says)
{
	struct e4d_vsaved s;
	char why[200] = "";

	assert_int_equal(e4d_vsaved_parse(&s, text, len, why, sizeof(why)), -EBADMSG);
	if (!strstr(why, says))
		fail_msg("expected '%s', got '%s'", says, why);
	assert_null(s.root);
	assert_null(s.cases);
}

#define REFUSED(text, says) refused(text, strlen(text), says)
#define CASE(name, result)  "{\"name\":\"" name "\",\"result\":\"" result "\",\"why\":\"\"}"
#define NOT_RUN(name)       "{\"name\":\"" name "\",\"result\":\"skip\",\"why\":\"w\",\"not_run\":true}"

static void test_foreign_files(void **state)
{
	static const char whole[] = HEAD CASE("a", "pass") TAIL("agrees");
	struct e4d_vsaved s;

	REFUSED("", "no JSON");
	REFUSED("KTAP version 1\n1..4\n", "no JSON");
	REFUSED("[]", "not a result");
	REFUSED("{\"cases\":[]}", "not a result");
	REFUSED("{\"program\":\"fio 3.33\",\"version\":1,\"cases\":[]}", "not a result");
	REFUSED("{\"program\":\"ext4diotop 9\",\"version\":2,\"cases\":[]}", "version 2");
	REFUSED("{\"program\":\"ext4diotop 9\",\"version\":1,\"cases\":{}}", "not a result");
	REFUSED(HEAD "1" TAIL("agrees"), "case 1 has no name");
	REFUSED(HEAD CASE("a", "maybe") TAIL("agrees"), "no result of pass, fail or skip");
	REFUSED(HEAD "{\"name\":\"a\",\"change\":\"broken\"}" TAIL("agrees"), "no result");
	REFUSED(HEAD CASE("a", "pass") "]}", "tracer has no result");
	REFUSED(HEAD CASE("a", "pass") "],\"tracer\":null}", "tracer has no result");
	REFUSED(HEAD CASE("a", "pass") TAIL("sees"), "tracer has no result");
	REFUSED(HEAD CASE("a", "pass") "," CASE("b", "pass") "," CASE("a", "fail") TAIL("agrees"),
	        "a is there twice");
	REFUSED(HEAD "{\"name\":\"a\",\"name\":\"b\"}" TAIL("agrees"), "no JSON");
	for (size_t len = 0; len < sizeof(whole) - 1; len++) /* cut anywhere */
		refused(whole, len, "");
	refused(whole, sizeof(whole), "no JSON"); /* with its NUL */
	load(&s, whole);
	e4d_vsaved_free(&s);
}

static void test_counts_are_not_taken_from_the_file(void **state)
{
	struct e4d_vsaved s;

	load(&s,
	     HEAD CASE("b", "pass") "," CASE("c", "skip") "," CASE(
		     "a",
		     "fail") "],\"passed\":77,\"failed\":-1,\"tracer\":{\"result\":\"unasked\"}}");
	assert_int_equal(s.count, 3);
	assert_int_equal(s.passed, 1);
	assert_int_equal(s.failed, 1);
	assert_int_equal(s.skipped, 1);
	assert_int_equal(s.tool, E4D_V_UNASKED);
	assert_int_equal(e4d_vsaved_find(&s, "a")->kernel, E4D_V_FAIL);
	assert_int_equal(e4d_vsaved_find(&s, "c")->at, 1);
	assert_null(e4d_vsaved_find(&s, "4k/a"));
	assert_null(e4d_vsaved_find(&s, ""));
	e4d_vsaved_free(&s);
}

static void test_each_change(void **state)
{
	const struct e4d_vsaved_case pass = {.why = "", .kernel = E4D_V_PASS},
				     fail = {.why = "size: 1", .kernel = E4D_V_FAIL},
				     other = {.why = "size: 2", .kernel = E4D_V_FAIL},
				     skip = {.why = "no", .kernel = E4D_V_SKIP};
	const struct {
		const struct e4d_vsaved_case *old, *new;
		enum e4d_vchange want;
	} table[] = {
		{&pass, &pass, E4D_V_PASSES},     {&pass, &fail, E4D_V_BROKEN},
		{&pass, &skip, E4D_V_UNTESTED},   {&pass, NULL, E4D_V_VANISHED},
		{&fail, &pass, E4D_V_MENDED},     {&fail, &fail, E4D_V_FAILS},
		{&fail, &other, E4D_V_OTHERWISE}, {&fail, &skip, E4D_V_UNTESTED},
		{&fail, NULL, E4D_V_VANISHED},    {&skip, &pass, E4D_V_TESTED},
		{&skip, &fail, E4D_V_TESTED},     {&skip, &skip, E4D_V_SKIPPED},
		{&skip, NULL, E4D_V_VANISHED},    {NULL, &pass, E4D_V_NEW},
		{NULL, &fail, E4D_V_NEW},         {NULL, &skip, E4D_V_NEW},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(e4d_vchange_of(table[i].old, table[i].new), table[i].want);
}

/* The exit code of comparing these two lists of cases. */
static int compared(const char *old, const char *new, unsigned int n[E4D_V_CHANGES])
{
	struct e4d_vsaved a, b;
	struct e4d_vdiff d;
	int code;

	load(&a, old);
	load(&b, new);
	assert_int_equal(e4d_vdiff_make(&d, &a, &b), 0);
	for (size_t i = 1; i < d.count; i++)
		assert_true(d.pairs[i - 1].change <= d.pairs[i].change);
	if (n)
		memcpy(n, d.n, sizeof(d.n));
	code = e4d_vdiff_exit(&d);
	e4d_vdiff_free(&d);
	e4d_vsaved_free(&a);
	e4d_vsaved_free(&b);
	return code;
}

static void test_whole_names_and_exit(void **state)
{
	unsigned int n[E4D_V_CHANGES];

	assert_int_equal(
		compared(HEAD CASE("4k/a", "fail") "," CASE("1k/a", "pass") "," CASE("b", "fail")
	                         TAIL("agrees"),
	                 HEAD CASE("4k/a", "pass") "," CASE("1k/a", "pass") "," CASE("c", "fail")
	                         TAIL("agrees"),
	                 n),
		E4D_EXIT_CLEAN);
	assert_int_equal(n[E4D_V_MENDED], 1);
	assert_int_equal(n[E4D_V_PASSES], 1);
	assert_int_equal(n[E4D_V_NEW], 1);
	assert_int_equal(n[E4D_V_VANISHED], 1);
	/* broken comes before everything */
	assert_int_equal(compared(HEAD CASE("a", "pass") TAIL("agrees"),
	                          HEAD CASE("a", "fail") TAIL("blind"), n),
	                 E4D_EXIT_FINDING);
	assert_int_equal(n[E4D_V_BROKEN], 1);
	assert_int_equal(compared(HEAD CASE("a", "pass") TAIL("agrees"),
	                          HEAD CASE("b", "fail") TAIL("agrees"), NULL),
	                 E4D_EXIT_NOTHING);
	assert_int_equal(compared(HEAD CASE("a", "skip") TAIL("agrees"),
	                          HEAD CASE("a", "fail") TAIL("agrees"), NULL),
	                 E4D_EXIT_NOTHING);
	assert_int_equal(compared(HEAD TAIL("agrees"), HEAD TAIL("agrees"), NULL),
	                 E4D_EXIT_NOTHING);
	/* the old side's tracer is history */
	assert_int_equal(compared(HEAD CASE("a", "pass") TAIL("blind"),
	                          HEAD CASE("a", "pass") TAIL("unasked"), NULL),
	                 E4D_EXIT_CLEAN);
	assert_int_equal(compared(HEAD CASE("a", "pass") TAIL("agrees"),
	                          HEAD CASE("a", "pass") TAIL("disagrees"), NULL),
	                 E4D_EXIT_BLIND);
	/* a case that was not run is not broken, and the run is not whole */
	assert_int_equal(compared(HEAD CASE("a", "pass") "," CASE("b", "pass") TAIL("agrees"),
	                          HEAD CASE("a", "pass") "," NOT_RUN("b") TAIL("agrees"), n),
	                 E4D_EXIT_BLIND);
	assert_int_equal(n[E4D_V_UNTESTED], 1);
	assert_int_equal(compared(HEAD CASE("a", "pass") "," NOT_RUN("b") TAIL("agrees"),
	                          HEAD CASE("a", "pass") "," CASE("b", "skip") TAIL("agrees"), n),
	                 E4D_EXIT_CLEAN);
}

/* What is printed of names and words that anybody may have chosen. */
static void test_printed(void **state)
{
	struct e4d_vsaved a, b;
	struct e4d_vdiff d;
	char *text = NULL;
	size_t len;
	json_t *doc;
	FILE *f;

	load(&a, HEAD CASE("e\\u001b[31m\\\"", "pass") TAIL("agrees"));
	load(&b, HEAD
	     "{\"name\":\"e\\u001b[31m\\\"\",\"result\":\"fail\",\"why\":\"w\\u0007\\n\"}" TAIL(
		     "agrees"));
	assert_int_equal(e4d_vdiff_make(&d, &a, &b), 0);
	f = open_memstream(&text, &len);
	e4d_vdiff_table(&d, f);
	fclose(f);
	assert_non_null(strstr(text, "broken    e\\x1b[31m\""));
	assert_non_null(strstr(text, "new: w\\x07\\x0a\n"));
	assert_null(strchr(text, '\033'));
	free(text);
	f = open_memstream(&text, &len);
	e4d_vdiff_json(&d, f);
	fclose(f);
	doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	assert_int_equal(json_integer_value(json_object_get(doc, "exit")), 1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(doc, "counts"), "broken")), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(doc, "cases"), 0), "name")),
	                    "e\033[31m\"");
	refused(text, len, "no result of"); /* a comparison is no result */
	json_decref(doc);
	free(text);
	e4d_vdiff_free(&d);
	e4d_vsaved_free(&a);
	e4d_vsaved_free(&b);
}

/* The list of what fails on kernels that leak was measured; the rule is to be the same. */
static void test_the_leaking_kind(void **state)
{
	struct e4d_vselect measured = {0};
	size_t kind = 0, safe = 0;
	FILE *f = fopen(E4D_SOURCE "/tests/vm/validate.leaking", "re");

	assert_non_null(f);
	assert_int_equal(e4d_vselect_exclude(&measured, f), 0);
	fclose(f);
	for (size_t i = 0; i < e4d_vcase_count; i++) {
		const char *name = e4d_vcases[i].w.name;

		kind += e4d_vcase_leaks(&e4d_vcases[i]);
		safe += e4d_vcase_leaks(&e4d_vcases[i]) && e4d_vcases[i].medium == E4D_V_SAFE;
		if (e4d_vcase_leaks(&e4d_vcases[i]) != e4d_vselect_excluded(&measured, name, ""))
			fail_msg("%s", name);
	}
	assert_int_equal(safe, 32);
	assert_int_equal(kind, measured.excluded_count);
	e4d_vselect_free(&measured);
}

static const struct e4d_vcase leaking = {.w = {.name = "l",
                                               .len = 262144,
                                               .readable = 7680,
                                               .flags = WL_FAULT}},
			      plain = {.w = {.name = "p", .len = 262144}};

static void test_expect(void **state)
{
	struct e4d_vresult r[2] = {{.c = &leaking}, {.c = &plain}};
	struct e4d_vrun run = {.results = r, .count = 2};
	char why[240];

#define EXPECT(what, code, says)                                                                   \
	do {                                                                                       \
		run.passed = run.failed = 0;                                                       \
		for (int i = 0; i < 2; i++) {                                                      \
			run.passed += r[i].kernel == E4D_V_PASS;                                   \
			run.failed += r[i].kernel == E4D_V_FAIL;                                   \
		}                                                                                  \
		assert_int_equal(e4d_vexpect_exit(&run, what, why, sizeof(why)), code);            \
		if (!strstr(why, says))                                                            \
			fail_msg("expected '%s', got '%s'", says, why);                            \
	} while (0)

	/* all pass */
	EXPECT(E4D_V_EXPECT_FIXED, E4D_EXIT_CLEAN, "fixed as expected: all of 2");
	EXPECT(E4D_V_EXPECT_BROKEN, E4D_EXIT_FINDING, "none of 1 case of the leaking kind");
	run.blind = 1;
	EXPECT(E4D_V_EXPECT_FIXED, E4D_EXIT_BLIND, "blind or disagreed");
	run.blind = 0;
	/* it leaks */
	r[0].kernel = E4D_V_FAIL;
	r[0].truth.past_eof = 4096;
	EXPECT(E4D_V_EXPECT_BROKEN, E4D_EXIT_CLEAN, "broken as expected: 1 of 1");
	EXPECT(E4D_V_EXPECT_FIXED, E4D_EXIT_FINDING, "1 case failed, 1 as on");
	run.disagree = 1; /* the tracer missed it: no pass for a CI of the tool */
	EXPECT(E4D_V_EXPECT_BROKEN, E4D_EXIT_BLIND, "blind or disagreed");
	run.disagree = 0;
	run.tracer.lost = 1;
	EXPECT(E4D_V_EXPECT_BROKEN, E4D_EXIT_BLIND, "blind or disagreed");
	run.tracer.lost = 0;
	/* i_size moved by a write that failed is a leak's other face */
	r[0].truth.past_eof = 0;
	r[0].res.ret = -14;
	r[0].isize_after = 7680;
	EXPECT(E4D_V_EXPECT_BROKEN, E4D_EXIT_CLEAN, "broken as expected: 1 of 1");
	/* it fails, but not like that; and another kind leaks */
	r[0].isize_after = 0;
	EXPECT(E4D_V_EXPECT_BROKEN, E4D_EXIT_FINDING, "1 failed otherwise");
	r[0].kernel = E4D_V_PASS;
	r[1].kernel = E4D_V_FAIL;
	r[1].truth.past_eof = 4096;
	EXPECT(E4D_V_EXPECT_BROKEN, E4D_EXIT_FINDING, "1 failed otherwise");
	/* none of the kind ran */
	r[0].kernel = E4D_V_SKIP;
	EXPECT(E4D_V_EXPECT_BROKEN, E4D_EXIT_NOTHING, "no case of the leaking kind ran");
	EXPECT(E4D_V_EXPECT_FIXED, E4D_EXIT_FINDING, "1 case failed, 0 as on");
	r[1].kernel = E4D_V_PASS;
	EXPECT(E4D_V_EXPECT_FIXED, E4D_EXIT_NOTHING, "no case of the leaking kind ran");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign_files),
		cmocka_unit_test(test_counts_are_not_taken_from_the_file),
		cmocka_unit_test(test_each_change),
		cmocka_unit_test(test_whole_names_and_exit),
		cmocka_unit_test(test_printed),
		cmocka_unit_test(test_the_leaking_kind),
		cmocka_unit_test(test_expect),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
