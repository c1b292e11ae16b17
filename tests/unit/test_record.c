/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The record's layout, and what JSON and CSV make of it. */
#include <jansson.h>

#include "sinks.h"

static void test_layout(void **state)
{
	static const size_t want[][2] = {
#define AT(m, off) {offsetof(struct e4d_record, m), off}
		AT(ts_ns, 0),       AT(seq, 8),         AT(ino, 16),          AT(offset, 24),
		AT(mapped_end, 32), AT(alloc_end, 40),  AT(isize_before, 48), AT(isize_after, 56),
		AT(trim_from, 64),  AT(past_eof, 72),   AT(prealloc, 80),     AT(exposed_ns, 88),
		AT(latency_ns, 96), AT(submitted, 104), AT(mapped, 108),      AT(dio_size, 112),
		AT(ret, 116),       AT(fallback, 120),  AT(pid, 124),         AT(tid, 128),
		AT(dev, 132),       AT(gen, 136),       AT(flags, 140),       AT(comm, 144),
		AT(dio_error, 160), AT(trim_ret, 162),  AT(extents, 164),     AT(cpu, 166),
		AT(seen, 168),      AT(doubt, 170),     AT(blkbits, 171),     AT(tier, 172),
		AT(verdict, 173),   AT(evidence, 174),  AT(version, 175),
#undef AT
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(want[i][0], want[i][1]);
	assert_int_equal(sizeof(struct e4d_record), 176);
}

static void test_names(void **state)
{
	static const struct e4d_names *const all[] = {&e4d_verdicts, &e4d_evidences, &e4d_tiers,
	                                              &e4d_flags, &e4d_doubts};
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

static json_t *parse_line(const char *line, size_t flags)
{
	json_error_t error;
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES | flags, &error);

	if (!o)
		print_error("%s at %d in %s\n", error.text, error.position, line);
	assert_non_null(o);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_int_equal(json_object_size(o), E4D_FIELD_COUNT);
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
		expect_words(o, "flags",
		             "extend async sync nowait dsync append unaligned new "
		             "unwritten atomic dax overtrim size-moved async-extend ");
		expect_words(o, "doubt", "lost half race settle ");
		expect_str(o, "verdict", "invalid");
		json_decref(o);
		free(line);
	}
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
		latin(want, hostile[i], strlen(hostile[i]));
		expect_str(o, "path", want);
		latin(want, comm, strlen(comm));
		expect_str(o, "comm", want);
		json_decref(o);
		free(line);
	}
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

/* As in text, but that no value begins a spreadsheet's formula. */
static void csv_want(char *want, size_t size, const char *s, size_t len)
{
	size_t used = 0;

	if (len && memchr("=+-@", s[0], 4)) {
		used = (size_t)snprintf(want, size, "\\x%02x", (unsigned char)*s++);
		len--;
	}
	e4d_escape_text(want + used, size - used, s, len);
}

static void csv_case(struct e4d_record *r, const char *path)
{
	static char head[64][512], val[64][512];
	bool quoted[64];
	char *text = render("csv", r, path, &utc, true), *line = strchr(text, '\n');
	char want[600];

	assert_visible(text);
	assert_int_equal(csv_split(line + 1, val, quoted, 64), E4D_FIELD_COUNT);
	csv_want(want, sizeof(want), path ? path : "", path ? strlen(path) : 0);
	assert_string_equal(val[10], want);
	assert_int_equal(val[10][0] == 0 && !quoted[10], path == NULL);
	csv_want(want, sizeof(want), r->comm, strnlen(r->comm, 16));
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
	assert_string_equal(
		line,
		"2026-05-04T13:08:01.123456789Z,81123456789,41,3,4711,4712,"
		"pwrite-tail,259:65537,131,4000000000,,512,1048576,1048577,1052672,1052673,9,7168,"
		"-28,-14,-5,3,7680,4096,7681,-117,1040384,4097,true,77,extend+sync+new+async-"
		"extend,"
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
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
