/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What is left of a dump whose recorder was killed: whole packets, and nothing half compressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>
#include "trace/guard.h"
#include "traces.h"

#define PACKETS 3

static char dir[64];

static int make_dump(void **state)
{
	static struct test_packet packet;
	static uint8_t bytes[PACKETS * 4096];

	(void)state;
	strcpy(dir, "/tmp/e4d-guard.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	for (uint64_t i = 0; i < PACKETS; i++) {
		packet_begin(&packet, 1, 1, i);
		put_inside(&packet, 0, i);
		assert_int_equal(packet_seal(&packet), 4096);
		memcpy(bytes + i * 4096, packet.bytes, 4096);
	}
	put_file(dir, "cpu0-000000", bytes, sizeof(bytes));
	put_file(dir, "cpu1-000000", bytes, sizeof(bytes) - 1);
	put_file(dir, "session-000000", bytes, 4095);
	put_file(dir, ".cpu2-000000.zst", bytes, 100);
	put_file(dir, "cpu3-000000.zst", bytes, 101);
	put_file(dir, "notes", bytes, 102);
	return 0;
}

static int remove_dump(void **state)
{
	(void)state;
	remove_dir(dir);
	return 0;
}

/* -1: no such file. */
static long size_of(const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) ? -1 : st.st_size;
}

static void assert_mended(void)
{
	assert_int_equal(size_of("cpu0-000000"), PACKETS * 4096);
	assert_int_equal(size_of("cpu1-000000"), (PACKETS - 1) * 4096);
	assert_int_equal(size_of("session-000000"), 0);
	assert_int_equal(size_of(".cpu2-000000.zst"), -1);
	assert_int_equal(size_of("cpu3-000000.zst"), 101);
	assert_int_equal(size_of("notes"), 102);
}

static void what_is_torn_is_cut(void **state)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	(void)state;
	e4d_guard_mend(fd);
	close(fd);
	assert_mended();
}

/* Who records is killed: the guard, a process of its own, mends. */
static void the_guard_outlives_its_recorder(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		struct e4d_guard g;

		if (e4d_guard_start(&g, open(dir, O_RDONLY | O_DIRECTORY)))
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 1000; i++) {
		if (size_of(".cpu2-000000.zst") < 0 && !size_of("session-000000") &&
		    size_of("cpu1-000000") % 4096 == 0)
			break;
		usleep(10000);
	}
	assert_mended();
}

static void a_dump_in_order_is_left_alone(void **state)
{
	struct e4d_guard g;
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(e4d_guard_start(&g, fd), 0);
	e4d_guard_stop(&g);
	close(fd);
	assert_int_equal(g.pid, 0);
	assert_int_equal(size_of("cpu1-000000"), PACKETS * 4096 - 1);
	assert_int_equal(size_of(".cpu2-000000.zst"), 100);
}

#define IN_DUMP(f) cmocka_unit_test_setup_teardown(f, make_dump, remove_dump)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DUMP(what_is_torn_is_cut),
		IN_DUMP(the_guard_outlives_its_recorder),
		IN_DUMP(a_dump_in_order_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
