/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A session that begins and ends while somebody writes. Not in the VMs: QEMU's TCG with two
 * CPUs may crash a guest that patches a function which runs (Oops: int3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include "children.h"

struct seen {
	uint64_t records, unknown;
};

static int on_record(void *ctx, struct e4d_record *rec)
{
	struct seen *s = ctx;

	s->records++;
	s->unknown += rec->verdict == E4D_UNKNOWN;
	return 0;
}

/* Appends until it is ended; begins anew at 8 MiB. */
static void append_for_ever(int fd)
{
	void *buf = block();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (off_t at = 0; pwrite(fd, buf, BLOCK, at) == BLOCK; at += BLOCK)
		if (at >= 8 << 20 && !ftruncate(fd, 0))
			at = -BLOCK;
	_exit(1);
}

/* Somebody writes when it begins and when it ends: each write counts once, and is whole. */
static void test_begins_and_ends_amid_writes(void **state)
{
	const char *dir = getenv("E4D_DIR");
	int fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT, 0600), status;
	pid_t pid = fork();

	(void)state;
	assert_true(fd >= 0);
	if (!pid)
		append_for_ever(fd);
	for (int i = 0; i < 5; i++) {
		struct e4d_counters c;
		struct seen seen = {0};
		struct e4d_session_opts so = {.on_record = on_record, .ctx = &seen};
		struct e4d_session *s = open_session(&so, dir);

		for (int k = 0; k < 20; k++) {
			usleep(10000);
			assert_int_equal(e4d_session_tick(s), 0);
		}
		assert_int_equal(e4d_session_stop(s), 0);
		e4d_session_counters(s, &c);
		assert_true(c.v[E4D_C_WRITES] > 0);
		assert_int_equal(c.v[E4D_C_DONE], c.v[E4D_C_WRITES]);
		assert_int_equal(seen.records + c.v[E4D_C_RING_FULL], c.v[E4D_C_DONE]);
		assert_int_equal(seen.unknown, 0);
		e4d_session_close(s);
	}
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begins_and_ends_amid_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
