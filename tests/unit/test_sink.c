/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* JSON against the table of fields; what a sink holds back, and when it tells of an error. */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>

#include "sinks.h"

static __u64 seed = 88172645463325252ULL;

static __u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* Any value, small and large ones alike; 63 bits, as many as jansson holds. */
static __u64 any(void)
{
	__u64 v = rnd() >> 1;

	return v >> rnd() % 64;
}

/* Every byte may be anything; half of the records repeat what real ones repeat. */
static struct e4d_record any_record(void)
{
	static const char *const comms[] = {"postgres", "fio", "a\"b\\c", "", "cut\xe2\x82"};
	struct e4d_record r;

	for (size_t i = 0; i < sizeof(r); i++)
		((unsigned char *)&r)[i] = (unsigned char)(rnd() >> 9);
	for (size_t i = 0; i < offsetof(struct e4d_record, submitted); i += sizeof(__u64)) {
		__u64 v = any();

		memcpy((char *)&r + i, &v, sizeof(v));
	}
	r.blkbits %= 63;
	if (rnd() % 2) {
		r.submitted = (__u32)any();
		r.ret = (__s32)any();
		r.dev = 254u << 20 | (rnd() & 1);
		r.flags &= E4D_F_EXTEND | E4D_F_SYNC | E4D_F_ORPHAN;
		r.doubt &= 1;
		r.verdict = rnd() % 4;
		r.evidence = 0;
		r.tier = rnd() % 2;
		memset(r.comm, 0, sizeof(r.comm));
		memcpy(r.comm, comms[rnd() % 5], 5);
	}
	return r;
}

static void expect_list(const json_t *v, __u64 bits, const struct e4d_names *names)
{
	size_t at = 0;

	assert_true(json_is_array(v));
	for (unsigned int bit = 0; bit < 64; bit++)
		if (bits >> bit & 1)
			assert_string_equal(json_string_value(json_array_get(v, at++)),
			                    e4d_name(names, bit));
	assert_int_equal(json_array_size(v), at);
}

static void json_agrees(const json_t *v, const struct e4d_field *f, const struct e4d_value *want)
{
	struct e4d_clock clock = utc;
	char text[256];

	switch (want->kind) {
	case E4D_K_U64:
	case E4D_K_S64:
		assert_true(json_is_integer(v));
		assert_int_equal(json_integer_value(v), want->s);
		return;
	case E4D_K_BOOL:
		assert_true(json_is_boolean(v));
		assert_int_equal(json_boolean_value(v), want->u);
		return;
	case E4D_K_LIST:
		expect_list(v, want->u, f->names);
		return;
	case E4D_K_STR:
		latin(text, want->str, want->len);
		break;
	case E4D_K_DEV:
		snprintf(text, sizeof(text), "%llu:%llu", want->u >> 20, want->u & 0xfffff);
		break;
	case E4D_K_TIME:
		e4d_clock_format(&clock, want->u, text);
		break;
	}
	assert_true(json_is_string(v));
	assert_string_equal(json_string_value(v), text);
}

/* The keys are the table's names, in its order, and the values what it says. */
static void expect_line(const char *line, size_t len, const struct e4d_record *r, const char *path)
{
	json_error_t error;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error), *v;
	struct e4d_value want;
	const char *key;
	size_t i = 0;

	if (!o)
		fail_msg("%s at %d in %.*s", error.text, error.position, (int)len, line);
	json_object_foreach(o, key, v)
	{
		const struct e4d_field *f = &e4d_fields[i];

		assert_true(i++ < E4D_FIELD_COUNT);
		assert_string_equal(key, f->name);
		if (e4d_field_get(f, r, path, &want))
			json_agrees(v, f, &want);
		else
			assert_true(json_is_null(v));
	}
	assert_int_equal(i, E4D_FIELD_COUNT);
	json_decref(o);
}

#define RECORDS 20000

static void test_json_is_the_table(void **state)
{
	struct e4d_sink *sink;
	size_t from = 0;

	(void)state;
	assert_int_equal(e4d_sink_open("json", open("/dev/null", O_WRONLY), &utc, &sink), 0);
	for (int i = 0; i < RECORDS; i++) {
		const char *path = rnd() % 3 ? hostile[rnd() % HOSTILE] : NULL;
		static struct e4d_record r;
		struct e4d_record other = any_record();
		size_t at = rnd() % (sizeof(r) / 4) * 4;

		/* each other one is the one before but for a word: what may be repeated of it? */
		if (i % 2)
			memcpy((char *)&r + at, (char *)&other + at, 4);
		else
			r = other;
		if (sink->out.len > E4D_SINK_BYTES / 2) {
			assert_int_equal(e4d_sink_flush(sink), 0);
			from = 0;
		}
		assert_int_equal(e4d_sink_write(sink, &r, path), 0);
		assert_int_equal(sink->out.data[sink->out.len - 1], '\n');
		expect_line(sink->out.data + from, sink->out.len - from, &r, path);
		from = sink->out.len;
	}
	close(sink->fd);
	e4d_sink_close(sink);
}

/* A special byte at each place of the eight that are looked at together. */
static void test_json_escape_places(void **state)
{
	char s[24], got[6 * sizeof(s) + 1], want[6 * sizeof(s) + 1];

	(void)state;
	for (size_t n = 1; n <= sizeof(s); n++)
		for (int c = 1; c < 128; c++)
			for (size_t at = 0; at < n; at++) {
				int after = (int)(n - at - 1);

				for (size_t i = 0; i < n; i++)
					s[i] = (char)('a' + i);
				s[at] = (char)c;
				*e4d_escape_json(got, s, n) = 0;
				if (c == '"' || c == '\\')
					snprintf(want, sizeof(want), "%.*s\\%c%.*s", (int)at, s, c,
					         after, s + at + 1);
				else if (c < 0x20 || c == 0x7f)
					snprintf(want, sizeof(want), "%.*s\\u%04x%.*s", (int)at, s,
					         c, after, s + at + 1);
				else
					snprintf(want, sizeof(want), "%.*s", (int)n, s);
				assert_string_equal(got, want);
			}
}

static off_t size_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_size;
}

/* Nothing is written for a line; all is when 64 KiB are there, at a flush, at the end. */
static void test_buffer(void **state)
{
	int fd = memfd_create("sink", 0);
	struct e4d_record r = sample();
	struct e4d_sink *sink;
	size_t len;

	(void)state;
	assert_int_equal(e4d_sink_open("csv", fd, &utc, &sink), 0);
	assert_int_equal(e4d_sink_begin(sink), 0);
	len = (size_t)size_of(fd);
	assert_true(len > 0);
	assert_int_equal(e4d_sink_write(sink, &r, "/f"), 0);
	assert_int_equal(size_of(fd), len);
	assert_int_equal(e4d_sink_flush(sink), 0);
	assert_true((size_t)size_of(fd) > len);
	len = (size_t)size_of(fd);
	while (sink->out.len < E4D_SINK_BYTES - 1024)
		assert_int_equal(e4d_sink_write(sink, &r, "/f"), 0);
	assert_int_equal(size_of(fd), len);
	for (int i = 0; i < 100; i++)
		assert_int_equal(e4d_sink_write(sink, &r, "/f"), 0);
	assert_true((size_t)size_of(fd) >= len + E4D_SINK_BYTES);
	len = (size_t)size_of(fd) + sink->out.len;
	assert_int_equal(e4d_sink_end(sink), 0);
	assert_int_equal(size_of(fd), len);
	e4d_sink_close(sink);
	close(fd);
}

/* An error comes with the write that fills the buffer, or with the flush; and stays. */
static void test_errors_surface(void **state)
{
	int full = open("/dev/full", O_WRONLY), err = 0;
	struct e4d_record r = sample();
	struct e4d_sink *sink;

	(void)state;
	assert_int_equal(e4d_sink_open("json", full, &utc, &sink), 0);
	assert_int_equal(e4d_sink_write(sink, &r, NULL), 0);
	assert_int_equal(e4d_sink_flush(sink), -ENOSPC);
	assert_int_equal(e4d_sink_write(sink, &r, NULL), -ENOSPC);
	assert_int_equal(e4d_sink_loss(sink, "ring_full", 1), -ENOSPC);
	assert_int_equal(e4d_sink_end(sink), -ENOSPC);
	e4d_sink_close(sink);
	assert_int_equal(e4d_sink_open("json", full, &utc, &sink), 0);
	for (int i = 0; i < 200 && !err; i++)
		err = e4d_sink_write(sink, &r, NULL);
	assert_int_equal(err, -ENOSPC);
	e4d_sink_close(sink);
	close(full);
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
	assert_int_equal(e4d_sink_flush(sink), 0);
	close(fds[0]);
	assert_int_equal(e4d_sink_write(sink, &r, NULL), 0);
	assert_int_equal(e4d_sink_flush(sink), -EPIPE);
	assert_int_equal(e4d_sink_end(sink), -EPIPE);
	close(fds[1]);
	assert_int_equal(e4d_sink_write(sink, &r, NULL), -EPIPE);
	e4d_sink_close(sink);
	assert_int_equal(e4d_sink_open("xml", 1, &utc, &sink), -ENOENT);
}

/* Of several hosts each line says which, escaped, and its time is that host's. */
static void test_hosts(void **state)
{
	static const struct {
		const char *format, *begin, *loss;
	} cases[] = {
		{"json", "{\"host\":\"a\\\"b\",\"ts\":\"2026-05-04T13:08:01.123456789Z\",",
	         "{\"host\":\"a\\\"b\",\"loss\":\"ring_full\",\"count\":3}\n"},
		{"csv", "\"a\"\"b\",2026-05-04T13:08:01.123456789Z,",
	         "# loss,ring_full,3,\"a\"\"b\"\n"},
		{"text", "13:08:01 pwrite-t+ a\"b     ", ""},
	};
	struct e4d_clock none = {.utc = true}, its = utc;
	struct e4d_record r = sample();
	struct e4d_sink *sink;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = strlen(cases[i].begin);
		assert_int_equal(
			e4d_sink_open(cases[i].format, open("/dev/null", O_WRONLY), &none, &sink),
			0);
		e4d_sink_host(sink, "a\"b", &its);
		assert_int_equal(e4d_sink_write(sink, &r, "/f"), 0);
		assert_true(sink->out.len > len);
		assert_memory_equal(sink->out.data, cases[i].begin, len);
		len = sink->out.len;
		assert_int_equal(e4d_sink_loss(sink, "ring_full", 3), 0);
		assert_int_equal(sink->out.len - len, strlen(cases[i].loss));
		assert_memory_equal(sink->out.data + len, cases[i].loss, strlen(cases[i].loss));
		close(sink->fd);
		e4d_sink_close(sink);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_is_the_table),
		cmocka_unit_test(test_json_escape_places),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_errors_surface),
		cmocka_unit_test(test_broken_pipe),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
