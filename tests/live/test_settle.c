/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * When is a write over? A write whose buffer fails half way, and what its thread
 * or another does next: none of it may change the verdict. E4D_DIR, E4D_TIER as
 * in test_session.c. Truth is what FIEMAP shows right after the write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "confirm/confirm.h"
#include "session/session.h"
#include "util/clock.h"
#include "util/log.h"
#include "writes.h"

#define READABLE 7680
#define ASKED    (1 << 20)

enum next { TRUNCATE, SLEEP, SPIN, SYNC_WRITE, OTHER_UNLINKS };

struct run {
	enum next next;
	char path[512];
	int fd, report[2], go[2];
};

/* What the one session says of one file; opening it takes seconds in an emulator. */
static struct {
	struct e4d_session *session;
	uint64_t ino;
	struct e4d_record rec; /* the last */
	int records, known;
} seen;

static int on_record(void *ctx, struct e4d_record *rec)
{
	(void)ctx;
	if (rec->ino != seen.ino)
		return 0;
	seen.records++;
	seen.known += !rec->doubt;
	seen.rec = *rec;
	return 0;
}

static int open_seen(void **state)
{
	struct e4d_session_opts so = {.on_record = on_record};

	(void)state;
	seen.session = open_session(&so, getenv("E4D_DIR"));
	return 0;
}

static int close_seen(void **state)
{
	(void)state;
	e4d_session_close(seen.session);
	return 0;
}

/* A file of its own; its records count from now on. */
static int new_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_DIRECT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	seen.ino = st.st_ino;
	seen.records = seen.known = 0;
	return fd;
}

/* Until n records are there, or ten seconds are over. */
static void await_records(int n)
{
	for (int i = 0; i < 1000 && seen.records < n; i++) {
		assert_int_equal(e4d_session_tick(seen.session), 0);
		usleep(10000);
	}
}

static void buffered_write(const char *path)
{
	static char buf[ASKED];
	int fd = open(path, O_WRONLY | O_SYNC);

	if (fd < 0 || pwrite(fd, buf, sizeof(buf), 0) != sizeof(buf))
		_exit(1);
	close(fd);
}

static void wait_for_parent(struct run *r, bool spin)
{
	char c;

	if (spin)
		fcntl(r->go[0], F_SETFL, O_NONBLOCK);
	while (read(r->go[0], &c, 1) != 1)
		for (volatile int i = 0; i < 10000000; i++)
			;
}

static void child(struct run *r)
{
	struct e4d_past_eof disk = {0};
	char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	prctl(PR_SET_NAME, "e4d-settle");
	if (p == MAP_FAILED || munmap(p + 2 * 4096, 2 * 4096))
		_exit(1);
	if (pwrite(r->fd, p + 512, ASKED, 0) > READABLE || e4d_confirm_fd(r->fd, 0, 0, 0, 0, &disk))
		_exit(1);
	if (r->next == TRUNCATE && ftruncate(r->fd, READABLE))
		_exit(1);
	if (r->next == SYNC_WRITE)
		buffered_write(r->path);
	if (write(r->report[1], &disk, sizeof(disk)) != sizeof(disk))
		_exit(1);
	if (r->next == SLEEP || r->next == SPIN || r->next == OTHER_UNLINKS)
		wait_for_parent(r, r->next == SPIN);
	_exit(0);
}

/* The record has to come while the child lives, if it stays alive. */
static void run(enum next next)
{
	struct run r = {.next = next};
	struct e4d_past_eof disk;
	int status;
	pid_t pid;

	snprintf(r.path, sizeof(r.path), "%s/settle-%d", getenv("E4D_DIR"), (int)next);
	r.fd = new_file(r.path);
	assert_int_equal(pipe(r.report), 0);
	assert_int_equal(pipe(r.go), 0);
	pid = fork();
	if (!pid)
		child(&r);
	assert_int_equal(read(r.report[0], &disk, sizeof(disk)), sizeof(disk));
	if (next == OTHER_UNLINKS)
		assert_int_equal(unlink(r.path), 0);
	close(r.fd);
	await_records(1);
	assert_int_equal(write(r.go[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(seen.records, 1);
	assert_string_equal(seen.rec.comm, "e4d-settle");
	assert_string_equal(e4d_verdict_name(seen.rec.verdict), disk.written ? "leak" : "trimmed");
	assert_int_equal(seen.rec.past_eof, disk.written);
	close(r.report[0]);
	close(r.report[1]);
	close(r.go[0]);
	close(r.go[1]);
	unlink(r.path);
}

/* The application mends a leak by itself afterwards: it was one all the same. */
static void test_later_truncate_is_not_a_trim(void **state)
{
	(void)state;
	run(TRUNCATE);
}

static void test_thread_that_sleeps(void **state)
{
	(void)state;
	run(SLEEP);
}

static void test_thread_that_spins(void **state)
{
	(void)state;
	run(SPIN);
}

static void test_later_write_is_no_fallback(void **state)
{
	(void)state;
	run(SYNC_WRITE);
}

static void test_later_unlink_is_no_race(void **state)
{
	(void)state;
	run(OTHER_UNLINKS);
}

#define RESTLESS 40

/* Between two looks at it the thread has gone from one call to none, again and again. */
static void restless_child(int fd)
{
	char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || munmap(p + 2 * 4096, 2 * 4096))
		_exit(1);
	for (off_t n = 0; n < RESTLESS; n++) {
		uint64_t until = e4d_boot_ns() + 120000000;

		if (pwrite(fd, p + 512, ASKED, n * ASKED) > READABLE)
			_exit(1);
		while (e4d_boot_ns() < until) {
			for (volatile int i = 0; i < 50000; i++)
				;
			usleep(50);
		}
	}
	_exit(0);
}

static void test_thread_that_never_rests(void **state)
{
	char path[512];
	int status = -1, fd;
	pid_t pid;

	(void)state;
	snprintf(path, sizeof(path), "%s/restless", getenv("E4D_DIR"));
	fd = new_file(path);
	pid = fork();
	if (!pid)
		restless_child(fd);
	while (!waitpid(pid, &status, WNOHANG)) {
		assert_int_equal(e4d_session_tick(seen.session), 0);
		usleep(2000);
	}
	assert_int_equal(status, 0);
	await_records(RESTLESS);
	assert_int_equal(seen.records, RESTLESS);
	assert_int_equal(seen.known, RESTLESS);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_later_truncate_is_not_a_trim),
		cmocka_unit_test(test_thread_that_sleeps),
		cmocka_unit_test(test_thread_that_spins),
		cmocka_unit_test(test_thread_that_never_rests),
		cmocka_unit_test(test_later_write_is_no_fallback),
		cmocka_unit_test(test_later_unlink_is_no_race),
	};

	if (!getenv("E4D_DIR")) {
		e4d_err("E4D_DIR is not set: name a directory on a scratch ext4");
		return 2;
	}
	return cmocka_run_group_tests(tests, open_seen, close_seen);
}
