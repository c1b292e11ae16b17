/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The sums for each file against writes made here. E4D_DIR, E4D_TIER as in
 * test_session.c; with E4D_UNFILTERED set every ext4 is watched, which takes the
 * programs' short way, and nobody else may write. Truth is what the children
 * wrote, their clock, and what FIEMAP and FS_IOC_GETVERSION say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "confirm/confirm.h"
#include "rows.h"
#include "session/session.h"
#include "util/log.h"

static void read_table(void)
{
	read_rows(e4d_session_files);
}

/* The file's n-th row, by number. */
static const struct e4d_row *row_of(int fd, int n)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	for (size_t i = 0; i < table.n; i++)
		if (table.row[i].ino == st.st_ino &&
		    table.row[i].dev == (major(st.st_dev) << 20 | minor(st.st_dev)) && !n--)
			return &table.row[i];
	return NULL;
}

static void stop(void)
{
	assert_int_equal(e4d_session_stop(session), 0);
	read_table();
}

/* Where events were skipped, which is said, writes may be missing; never too many. */
static void assert_total(uint64_t writes)
{
	uint64_t missing = lost(session);
	struct e4d_counters c;

	assert_in_range(table.writes, missing < writes ? writes - missing : 0, writes);
	e4d_session_counters(session, &c);
	assert_int_equal(c.v[E4D_C_WRITES], table.writes);
	assert_int_equal(c.v[E4D_C_DONE], table.writes);
	assert_int_equal(c.v[E4D_C_SUBMITTED], table.bytes);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The sum of the rows' lower bounds is no more than the time that passed. */
static void assert_latencies(const struct e4d_row *f, uint64_t passed_ns)
{
	uint64_t n = 0, least = 0;

	for (int i = 0; i < E4D_LATENCIES; i++) {
		n += f->sum.latency[i];
		least += i > 9 ? f->sum.latency[i] << i : 0;
	}
	assert_int_equal(n, f->sum.writes);
	assert_true(least <= passed_ns);
	assert_true(is_blind(session) || !f->sum.latency[0]);
	for (int i = 1; i < 9; i++)
		assert_int_equal(f->sum.latency[i], 0);
}

static void test_overwrites_and_appends(void **state)
{
	enum { FILES = 3, OVER = 200 };
	const struct e4d_row *f;
	uint64_t began;
	int fd[FILES];
	pid_t pid[2];

	(void)state;
	start_rows(0);
	for (int i = 0; i < FILES; i++)
		fd[i] = scratch();
	for (int i = 0; i < FILES; i++) {
		began = now_ns();
		pid[0] = child_writes(fd[i], BLOCKS); /* each extends */
		pid[1] = child_writes(fd[i], OVER * (i + 1));
		began = now_ns() - began;
		read_table();
		f = row_of(fd[i], 0);
		assert_non_null(f);
		assert_latencies(f, began);
		assert_true(f->pid == (uint32_t)pid[0] || f->pid == (uint32_t)pid[1]);
	}
	stop();
	assert_int_equal(table.n, FILES);
	assert_total(FILES * BLOCKS + OVER * (1 + 2 + 3));
	for (int i = 0; i < FILES && !lost(session); i++) {
		f = row_of(fd[i], 0);
		assert_int_equal(f->sum.writes, BLOCKS + OVER * (i + 1));
		assert_int_equal(f->sum.submitted, f->sum.writes * BLOCK);
		assert_int_equal(f->sum.extending, BLOCKS);
		assert_int_equal(f->sum.errors + f->sum.shorts + f->sum.findings, 0);
		assert_int_equal(f->sum.unmapped, 0);
		assert_int_equal(f->sum.over, 0);
		assert_true(is_blind(session) || f->flags & E4D_F_SYNC);
		assert_false(f->flags & (E4D_F_ASYNC | E4D_F_DSYNC));
	}
	for (int i = 0; i < FILES; i++)
		close(fd[i]);
	e4d_session_close(session);
}

static void test_errors_and_shorts(void **state)
{
	enum { ERRORS = 20 };
	int shorts;
	int a = scratch(), b = scratch();
	const struct e4d_row *f;

	(void)state;
	child_writes(a, BLOCKS);
	child_writes(b, BLOCKS);
	start_rows(0);
	child_fails(a, ERRORS, 0);
	shorts = is_blind(session) ? 0 : 10; /* 5.10 counts there what is mapped anew */
	child_fails(b, shorts, 2);
	child_writes(a, 5);
	stop();
	assert_total(ERRORS + shorts + 5);
	f = row_of(a, 0);
	assert_non_null(f);
	assert_int_equal(f->sum.writes, ERRORS + 5);
	assert_int_equal(f->sum.submitted, (ERRORS * 3 + 5) * BLOCK);
	assert_int_equal(f->sum.errors, is_blind(session) ? 0 : ERRORS);
	assert_int_equal(f->sum.shorts + f->sum.extending, 0);
	f = row_of(b, 0);
	assert_true(f ? f->sum.writes == 10 && f->sum.errors + f->sum.shorts == 10 : !shorts);
	close(a);
	close(b);
	e4d_session_close(session);
}

/* Two iocbs may share a place of state: then one is counted, in `other`. */
static void test_queued_writes(void **state)
{
	enum { CHILDREN = 3, EACH = 800 };
	pid_t pid[CHILDREN];
	int fd[CHILDREN];
	uint64_t began;

	(void)state;
	for (int i = 0; i < CHILDREN; i++) {
		fd[i] = scratch();
		child_writes(fd[i], BLOCKS);
	}
	start_rows(0);
	began = now_ns();
	for (int i = 0; i < CHILDREN; i++) {
		pid[i] = fork();
		if (!pid[i])
			aio_child(fd[i], EACH);
	}
	for (int i = 0; i < CHILDREN; i++)
		reap(pid[i]);
	began = now_ns() - began;
	stop();
	assert_total(CHILDREN * EACH);
	assert_int_equal(table.bytes, table.writes * BLOCK);
	assert_int_equal(table.n, CHILDREN);
	assert_true(table.other.sum.writes < CHILDREN * EACH / 2);
	for (int i = 0; i < CHILDREN; i++) {
		const struct e4d_row *f = row_of(fd[i], 0);

		assert_non_null(f);
		assert_latencies(f, began * QUEUE);
		assert_true(f->sum.writes <= EACH);
		assert_int_equal(f->sum.errors + f->sum.shorts + f->sum.extending, 0);
		close(fd[i]);
	}
	e4d_session_close(session);
}

static int create(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_DIRECT, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* The number of a file that is gone is used again: two files, two rows. */
static void test_inode_number_used_again(void **state)
{
	const struct e4d_row *f[2];
	struct stat first, st;
	char path[512];
	unsigned int gen = 0;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/again", getenv("E4D_DIR"));
	start_rows(0);
	fd = create(path);
	assert_int_equal(fstat(fd, &first), 0);
	child_writes(fd, 10);
	close(fd);
	assert_int_equal(unlink(path), 0);
	fd = create(path);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_ino, first.st_ino);
	assert_int_equal(ioctl(fd, FS_IOC_GETVERSION, &gen), 0);
	child_writes(fd, 7);
	read_table();
	f[0] = row_of(fd, 0);
	f[1] = row_of(fd, 1);
	assert_non_null(f[0]);
	assert_non_null(f[1]);
	assert_int_equal(f[0]->sum.writes + f[1]->sum.writes, 17);
	assert_int_equal(f[f[0]->gen != gen]->sum.writes, 7);
	assert_int_equal(f[f[0]->gen != gen]->gen, gen);
	usleep(200000); /* the first one's place is freed, and its sums are not lost */
	read_table();
	read_table();
	assert_int_equal(table.n, 1);
	assert_int_equal(row_of(fd, 0)->sum.writes, 7);
	assert_int_equal(table.other.sum.writes, 10);
	stop();
	assert_total(17);
	close(fd);
	unlink(path);
	e4d_session_close(session);
}

/* All places but every 128th are somebody's. */
static void take_places(void)
{
	struct bpf_object *obj = e4d_session_attached(session)->obj;
	struct e4d_shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED,
	                             bpf_object__find_map_fd_by_name(obj, ".bss"), 0);

	assert_true(sh != MAP_FAILED);
	for (int i = 0; i < E4D_FILES; i++)
		if (i % 128)
			sh->file_key[i] = 2;
	munmap(sh, sizeof(*sh));
}

/* More files than places: `other` counts the rest; what does not change is forgotten. */
static void test_more_files_than_places(void **state)
{
	enum { FILES = 200, EACH = 5 };
	int fd[FILES];

	(void)state;
	start_rows(0);
	take_places();
	for (int i = 0; i < FILES; i++) {
		fd[i] = scratch();
		child_writes(fd[i], EACH); /* extends */
		child_writes(fd[i], EACH);
	}
	read_table();
	assert_true(table.n > 0 && table.n <= E4D_FILES / 128);
	for (size_t i = 0; i < table.n; i++)
		assert_int_equal(table.row[i].sum.writes, 2 * EACH);
	assert_int_equal(table.other.sum.writes, (FILES - table.n) * 2 * EACH);
	assert_int_equal(table.other.sum.extending, (FILES - table.n) * EACH);
	assert_total(FILES * 2 * EACH);
	for (int i = 0; i < E4D_IDLE_READS + 2; i++)
		read_table();
	usleep(200000);
	read_table();
	read_table();
	assert_int_equal(table.n, 0);
	assert_int_equal(table.other.sum.writes, FILES * 2 * EACH);
	child_writes(fd[0], 3);
	stop();
	assert_int_equal(table.n, 1);
	assert_int_equal(row_of(fd[0], 0)->sum.writes, 3);
	assert_total(FILES * 2 * EACH + 3);
	for (int i = 0; i < FILES; i++)
		close(fd[i]);
	e4d_session_close(session);
}

#define ASKED (1 << 20)

/* A write that fails half way past EOF, and a thread that then does nothing. */
static pid_t child_waits(int fd, int report, int go)
{
	struct e4d_past_eof disk = {0};
	pid_t pid = fork();
	char c, *p;

	if (pid)
		return pid;
	p = mmap(NULL, 4 * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || munmap(p + 2 * BLOCK, 2 * BLOCK) ||
	    pwrite(fd, p + 512, ASKED, 0) == ASKED || e4d_confirm_fd(fd, 0, 0, 0, 0, &disk) ||
	    write(report, &disk, sizeof(disk)) != sizeof(disk))
		_exit(1);
	_exit(read(go, &c, 1) != 1);
}

/* Keeps the row of a process. */
static void on_process(void *ctx, const struct e4d_row *row)
{
	struct e4d_row *want = ctx;

	if (!row->other && row->pid == want->pid)
		*want = *row;
}

static void test_settled_by_the_session(void **state)
{
	const struct e4d_row *f;
	struct e4d_row process = {0};
	struct e4d_past_eof disk;
	int fd = scratch(), report[2], go[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(report), 0);
	assert_int_equal(pipe(go), 0);
	start_rows(0);
	assert_int_equal(e4d_session_want(session, E4D_WANT_PROCESSES), 0);
	pid = child_waits(fd, report[1], go[0]);
	assert_int_equal(read(report[0], &disk, sizeof(disk)), sizeof(disk));
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(e4d_session_tick(session), 0);
		read_table();
		if (table.writes)
			break;
		usleep(10000);
	}
	assert_int_equal(write(go[1], "g", 1), 1);
	reap(pid);
	stop();
	assert_total(1);
	f = row_of(fd, 0);
	assert_non_null(f);
	assert_int_equal(f->sum.writes, 1);
	assert_int_equal(f->sum.submitted, ASKED);
	assert_int_equal(f->sum.extending, 1);
	assert_int_equal(f->sum.findings, disk.written != 0);
	assert_int_equal(f->pid, pid);
	process.pid = pid;
	assert_int_equal(e4d_session_processes(session, on_process, &process), 0);
	assert_int_equal(process.sum.writes, 1);
	assert_int_equal(process.sum.submitted, ASKED);
	assert_int_equal(process.sum.findings, f->sum.findings);
	assert_string_equal(process.comm, "test_files");
	for (int i = 0; i < 2; i++)
		close(report[i]), close(go[i]);
	close(fd);
	e4d_session_close(session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overwrites_and_appends),
		cmocka_unit_test(test_errors_and_shorts),
		cmocka_unit_test(test_queued_writes),
		cmocka_unit_test(test_inode_number_used_again),
		cmocka_unit_test(test_more_files_than_places),
		cmocka_unit_test(test_settled_by_the_session),
	};

	if (!getenv("E4D_DIR")) {
		e4d_err("E4D_DIR is not set: name a directory on a scratch ext4");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
