/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* One file in detail: what of its writes is there, fed by two streams as a session does. */
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "feeds.h"

#define ATTACHING (SECOND / 2)

static struct e4d_feed_ops ops;
static uint64_t watch_lost;

static int watch(struct e4d_feed *f, const struct e4d_record *id, char *why, size_t why_len)
{
	if (id)
		fake_of(f)->now += ATTACHING;
	return 0;
}

static uint64_t watch_losses(struct e4d_feed *f,
                             void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx)
{
	if (watch_lost)
		fn(ctx, "ring_full", watch_lost);
	return watch_lost;
}

/* The whole of the detail, as it would be written; the caller frees it. */
static char *text_of(struct fixture *x, size_t cols)
{
	struct e4d_outbuf ob = {0};

	e4d_detail_refresh(&x->v.detail);
	e4d_detail_text(&x->v.detail, cols, false, &ob);
	e4d_ob_char(&ob, 0);
	return ob.data;
}

static void expect(struct fixture *x, const char *text, bool there)
{
	char *all = text_of(x, 100);

	if (!strstr(all, text) == there)
		fail_msg("'%s' is %sin %s", text, there ? "not " : "", all);
	free(all);
}

/* With the file of inode 31 entered; the watch is on from 100.5 s on. */
static int set_up(void **state)
{
	struct fixture *x;
	int err = setup(state);

	x = *state;
	ops = fake_ops;
	ops.watch = watch;
	ops.watch_losses = watch_losses;
	watch_lost = 0;
	x->k.feed.ops = &ops;
	row(x, 31, 5, 14);
	refresh(x, 0);
	draw(x, 24, 100);
	keys(x, "\n");
	return err;
}

/* One that extends or, inside EOF, leaves no record in the main stream. */
static struct e4d_record write_at(uint64_t ms, uint64_t offset, bool extends)
{
	struct e4d_record r = leak(31, 100 * SECOND + ms * (SECOND / 1000));

	r.offset = offset;
	r.tid = 7;
	r.latency_ns = 1000;
	r.ret = (int)r.submitted;
	r.dio_size = r.submitted;
	r.past_eof = 0;
	r.flags = E4D_F_SYNC | (extends ? E4D_F_EXTEND : 0);
	r.isize_after = offset + r.submitted;
	r.verdict = E4D_CLEAN;
	return r;
}

static void feed_watched(struct fixture *x, const struct e4d_record *r)
{
	struct e4d_fed w = {.rec = r, .watched = true};

	assert_int_equal(x->k.feed.on_write(x->k.feed.ctx, &w), 0);
}

/* Since Enter, and while it is attached: the leak of then is there. */
static void nothing_is_missed_while_attaching(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = leak(31, 100 * SECOND + SECOND / 4);

	feed(x, &r);
	expect(x, "the last 1 of 1.", true);
	expect(x, "!leak", true);
}

/* Each once, by whichever stream it comes, in the order of their begin. */
static void each_write_once_in_order(void **state)
{
	struct fixture *x = *state;
	char *all, *at;
	char want[32];

	for (uint64_t i = 0; i < 200; i++) {
		struct e4d_record r = write_at(1000 + i, i * 4096, i % 2);

		feed_watched(x, &r); /* it has every write */
	}
	for (uint64_t i = 1; i < 200; i += 2) {
		struct e4d_record r = write_at(1000 + i, i * 4096, true);

		r.ts_ns -= 300; /* the same write, seen by other programs */
		feed(x, &r);
	}
	all = text_of(x, 100);
	assert_non_null(strstr(all, "the last 64 of 200."));
	at = strstr(all, "VERDICT");
	for (uint64_t i = 136; i < 200; i++) {
		snprintf(want, sizeof(want), " %llu 1048576", (unsigned long long)i * 4096);
		at = at ? strstr(at, want) : NULL;
		if (!at)
			fail_msg("write %llu is not in its place: %s", (unsigned long long)i, all);
	}
	free(all);
}

/* i_size moved between the looks of the two at one write, or user space settled it: once. */
static void twins_are_one(void **state)
{
	struct fixture *x = *state;
	struct e4d_record main = write_at(1000, 4096, true), watched = write_at(1000, 4096, false);

	watched.ts_ns += 300;
	feed_watched(x, &watched);
	feed(x, &main);
	expect(x, "the last 1 of 1.", true);
	main = write_at(1001, 4096, true); /* and the next one is one */
	feed(x, &main);
	expect(x, "the last 2 of 2.", true);
	main = write_at(1002, 4096, false);
	feed(x, &main); /* whether the other one lost it or not */
	expect(x, "the last 3 of 3.", true);
	main.ts_ns += 300;
	feed_watched(x, &main);
	expect(x, "the last 3 of 3.", true);
}

/* A write that overlaps a loss of the watch is doubted there only. */
static void doubted_but_there(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = write_at(1000, 4096, false);

	r.doubt = E4D_DOUBT_LOST;
	r.verdict = E4D_UNKNOWN;
	feed_watched(x, &r);
	expect(x, "the last 1 of 1.", true);
	expect(x, "- unknown", true);
}

static void paused_but_gathered(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = write_at(1000, 0, true);

	feed(x, &r);
	expect(x, "the last 1 of 1.", true);
	keys(x, " ");
	for (uint64_t i = 1; i <= 58; i++) {
		r = write_at(1000 + i, i * 4096, i % 2);
		if (i % 2)
			feed(x, &r);
		else
			feed_watched(x, &r);
	}
	expect(x, "the last 1 of 1.", true);
	keys(x, " ");
	expect(x, "the last 59 of 59.", true);
}

/* What its own tracing lost is said, and is no loss of the main stream's. */
static void its_losses_are_said(void **state)
{
	struct fixture *x = *state;

	expect(x, "lost", false);
	watch_lost = 240123;
	refresh(x, 1);
	expect(x, "! 240123 events of this file were lost: ring_full 240123.", true);
	draw(x, 24, 100);
	expect_in(line_with(x, "ext4diotop"), "lost 0");
}

/* The file system is asked again; what cannot be asked any more keeps its figures. */
static void facts_are_asked_anew(void **state)
{
	struct fixture *x = *state;
	struct e4d_detail *d = &x->v.detail;
	char text[64] = "", name[] = "/tmp/e4d-facts.XXXXXX";
	int fd = mkstemp(name);
	struct stat st;

	assert_true(fd >= 0 && !fstat(fd, &st));
	e4d_detail_close(d);
	e4d_detail_open(d, &x->m,
	                &(struct e4d_record){.ino = st.st_ino,
	                                     .dev = major(st.st_dev) << 20 | minor(st.st_dev)},
	                name);
	for (int i = 0; i < 300; i++) {
		char *all;

		if (i == 100)
			assert_false(ftruncate(fd, 12345));
		if (i == 200)
			assert_false(unlink(name));
		x->k.now += SECOND / 10;
		usleep(10000);
		all = text_of(x, 100);
		if (i == 99)
			snprintf(text, sizeof(text), "%.9s", strstr(all, "i_size "));
		if (i == 199 && !strstr(all, "i_size 12345 "))
			fail_msg("not asked anew: %s", all);
		if (i == 299 && (!strstr(all, "i_size 12345 ") || !strstr(all, "any more")))
			fail_msg("not said to be gone: %s", all);
		free(all);
	}
	assert_string_equal(text, "i_size 0 ");
	close(fd);
}

static int seek(struct e4d_feed *f, uint64_t ns)
{
	return 0;
}

/* A replay that goes back has the same writes again. */
static void replayed_again(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = write_at(1000, 0, true);

	ops.seek = seek;
	x->k.feed.replay = true;
	for (int i = 0; i < 2; i++) {
		feed(x, &r);
		expect(x, "the last 1 of 1.", true);
		keys(x, "g+0\n");
		expect(x, "the last 0 of 0.", true);
	}
}

/* One of another day says so. */
static void days_are_said(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = write_at(1000, 0, true);

	feed(x, &r);
	refresh(x, 1);
	expect(x, "1970-01-", false);
	refresh(x, 86400);
	expect(x, "1970-01-01 ---\n00:01:41.000 ", true);
	r.ts_ns = x->k.now;
	feed(x, &r);
	expect(x, "1970-01-02 ---\n00:01:4", true);
}

/* All of the text can be reached at any width, and the path is not shortened. */
static void nothing_is_cut(void **state)
{
	struct fixture *x = *state;
	struct e4d_record r = leak(31, 101 * SECOND);
	char path[400];

	memset(path, 'x', sizeof(path));
	memcpy(path, "/begin", 6);
	memcpy(path + sizeof(path) - 5, "/end", 5);
	free(x->v.detail.path);
	x->v.detail.path = strdup(path);
	feed(x, &r);
	for (size_t cols = 60; cols <= 110; cols += 10) {
		char *all = text_of(x, cols), *line = all, *eol;

		assert_non_null(strstr(all, "/end\n"));
		assert_non_null(strstr(all, "!leak"));
		for (; (eol = strchr(line, '\n')); line = eol + 1)
			assert_true(eol - line <= 100);
		free(all);
	}
	draw(x, 40, 60);
	assert_false(shows(x, "!leak"));
	for (int i = 0; i < 3; i++)
		e4d_key(&x->v, E4D_KEY_RIGHT);
	draw(x, 40, 60);
	line_with(x, "!leak");
	keys(x, "?");
	draw(x, 60, 60);
	assert_false(shows(x, "nothing trims them"));
	e4d_key(&x->v, E4D_KEY_RIGHT);
	e4d_key(&x->v, E4D_KEY_RIGHT);
	draw(x, 60, 60);
	line_with(x, "nothing trims them");
}

/* A writer whose name the line of a write in flight does not have. */
static void writer_of_a_flight(void **state)
{
	struct fixture *x = *state;

	keys(x, "q");
	x->k.flight[0] = (struct e4d_flight){.begin_ns = 1,
	                                     .ino = 40,
	                                     .dev = 8u << 20 | 1,
	                                     .gen = 1,
	                                     .pid = 99,
	                                     .known = E4D_FLIGHT_FILE | E4D_FLIGHT_THREAD};
	x->k.flights = 1;
	refresh(x, 1);
	keys(x, "4");
	draw(x, 24, 100);
	keys(x, "\n");
	expect(x, "last written by command-99 (99)", true);
}

static void saved_with_its_date(void **state)
{
	struct fixture *x = *state;
	char dir[] = "/tmp/e4d-detail.XXXXXX", name[80], line[128];
	FILE *f;

	assert_true(mkdtemp(dir) && !chdir(dir));
	x->k.feed.boot_to_real_ns = 1000000000 * (int64_t)SECOND;
	assert_int_equal(e4d_detail_save(&x->v.detail, name, sizeof(name)), 0);
	f = fopen(name, "r");
	assert_true(f && fgets(line, sizeof(line), f));
	assert_string_equal(line, "2001-09-09 01:48:20, time zone +0000 (UTC)\n");
	fclose(f);
	assert_false(unlink(name) || chdir("/") || rmdir(dir));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_missed_while_attaching, set_up,
	                                        teardown),
		cmocka_unit_test_setup_teardown(each_write_once_in_order, set_up, teardown),
		cmocka_unit_test_setup_teardown(twins_are_one, set_up, teardown),
		cmocka_unit_test_setup_teardown(doubted_but_there, set_up, teardown),
		cmocka_unit_test_setup_teardown(paused_but_gathered, set_up, teardown),
		cmocka_unit_test_setup_teardown(its_losses_are_said, set_up, teardown),
		cmocka_unit_test_setup_teardown(facts_are_asked_anew, set_up, teardown),
		cmocka_unit_test_setup_teardown(replayed_again, set_up, teardown),
		cmocka_unit_test_setup_teardown(days_are_said, set_up, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_cut, set_up, teardown),
		cmocka_unit_test_setup_teardown(writer_of_a_flight, set_up, teardown),
		cmocka_unit_test_setup_teardown(saved_with_its_date, set_up, teardown),
	};

	setenv("TZ", "UTC", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
