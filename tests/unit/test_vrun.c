/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* validate: what ends a run or leaves a case out, and is no word on the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "exitcode.h"
#include "validate/expect.h"
#include "validate/report.h"

static unsigned int made;

static int no_file(struct e4d_vrun *r, size_t at)
{
	(void)r;
	(void)at;
	made++;
	return -EMFILE;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Asks for one case of 256 KiB in a run that stands so; the reason why it is not run. */
static const char *asked(struct e4d_vrun *r)
{
	static const struct e4d_vcase c = {.w = {.name = "a/b", .len = 262144}};
	static struct e4d_vresult res;

	res = (struct e4d_vresult){.c = &c};
	made = 0;
	r->results = &res;
	r->count = 1;
	r->mount.dir = "/proc"; /* where nothing is free */
	r->mount.fs = (struct e4d_vfs){.blksize = 4096, .unit = 4096, .extents = true};
	assert_int_equal(e4d_vrun_case(r, 0, no_file, NULL), -1);
	assert_int_equal(res.kernel, E4D_V_SKIP);
	assert_true(res.not_run);
	return res.why;
}

/* The assignments are to `run`, which has just begun. */
#define ASKED(says, assignments)                                                                   \
	do {                                                                                       \
		struct e4d_vrun run = {.safe = true, .started = now()};                            \
		const char *why;                                                                   \
                                                                                                   \
		assignments;                                                                       \
		why = asked(&run);                                                                 \
		if (strcmp(why, says))                                                             \
			fail_msg("expected '%s', got '%s'", says, why);                            \
	} while (0)

/* Each bound ends the run before a file is made; one step less, and another does. */
static void test_each_bound(void **state)
{
	const char *next = "the file system would be nearly full";

	ASKED("30 seconds would be over", run.started = now() - 21);
	ASKED(next, run.started = now() - 19);
	ASKED("30 seconds would be over", run.started = now() - 19; run.longest = 8);
	ASKED("200 writes are made", run.writes = 200);
	ASKED(next, run.writes = 199);
	ASKED("64 MiB are written", run.bytes = 64 * WL_MIB - 262143);
	ASKED(next, run.bytes = 64 * WL_MIB - 262144);
	ASKED("it would allocate more than 64 MiB", run.held = 64 * WL_MIB - 262143);
	ASKED(next, run.held = 64 * WL_MIB - 262144);
	assert_int_equal(made, 0);
	/* the lab's images have no bounds, and no descriptor is no word on the kernel */
	ASKED("no file: Too many open files", run.safe = false; run.writes = 9999);
	assert_int_equal(made, 1);
}

static void test_room_in_units(void **state)
{
	const struct e4d_vfs small = {.blksize = 4096, .unit = 4096, .extents = true},
			     large = {.blksize = 4096, .unit = 16 * WL_MIB, .extents = true},
			     indirect = {.blksize = 1024, .unit = 1024, .base = 1024};
	const struct e4d_vcase append = {.w.len = 262144},
			       hole = {.w = {.len = 262144, .offset = 40 * WL_MIB}},
			       across = {.w = {.len = 262144, .written = 4096}};

	assert_int_equal(e4d_vcase_room(&append, &small), 262144);
	assert_int_equal(e4d_vcase_room(&append, &large), 16 * WL_MIB);
	assert_int_equal(e4d_vcase_room(&hole, &large), 16 * WL_MIB);
	assert_int_equal(e4d_vcase_room(&across, &small), 262144);
	assert_int_equal(e4d_vcase_room(&across, &large), 16 * WL_MIB);
	assert_int_equal(e4d_vcase_room(&append, &indirect), 262144 + 5 * 1024);
	for (size_t i = 0; i < e4d_vcase_count; i++) {
		const struct wl_case *w = &e4d_vcases[i].w;

		assert_true(e4d_vcase_room(&e4d_vcases[i], &small) >= w->len);
		if (e4d_vcases[i].medium == E4D_V_SAFE) {
			assert_true(w->offset + w->len <= E4D_V_FILE);
			assert_true(w->size <= E4D_V_FILE && w->keepsize <= E4D_V_FILE);
		}
	}
}

/* A run with a case that was not run is no success, whoever asks. */
static void test_not_run_is_no_success(void **state)
{
	static const struct e4d_vcase leaking = {
		.w = {.len = 262144, .readable = 7680, .flags = WL_FAULT}};
	struct e4d_vresult r[4] = {
		{.c = &leaking},
		{.c = &leaking, .kernel = E4D_V_SKIP, .why = "no io_uring"},
		{.c = &leaking, .kernel = E4D_V_SKIP, .not_run = true, .why = "late"},
		{.c = &leaking, .kernel = E4D_V_SKIP, .not_run = true, .why = "late"}};
	struct e4d_vrun run = {.results = r, .count = 2};
	char why[240];

	e4d_vrun_end(&run);
	assert_int_equal(e4d_vrun_exit(&run), E4D_EXIT_CLEAN);
	run = (struct e4d_vrun){.results = r, .count = 4};
	e4d_vrun_end(&run);
	assert_int_equal(run.not_run, 2);
	assert_int_equal(e4d_vrun_exit(&run), E4D_EXIT_BLIND);
	e4d_vrun_reasons(&run, why, sizeof(why));
	assert_string_equal(why, "2 cases; 2: late");
	assert_int_equal(e4d_vexpect_exit(&run, E4D_V_EXPECT_FIXED, why, sizeof(why)),
	                 E4D_EXIT_BLIND);
	assert_non_null(strstr(why, "2 were not run"));
	assert_int_equal(e4d_vexpect_exit(&run, E4D_V_EXPECT_BROKEN, why, sizeof(why)),
	                 E4D_EXIT_BLIND);
	r[0].kernel = E4D_V_FAIL; /* one that leaks is enough */
	r[0].truth.past_eof = 4096;
	run = (struct e4d_vrun){.results = r, .count = 4};
	e4d_vrun_end(&run);
	assert_int_equal(e4d_vrun_exit(&run), E4D_EXIT_FINDING);
	assert_int_equal(e4d_vexpect_exit(&run, E4D_V_EXPECT_BROKEN, why, sizeof(why)),
	                 E4D_EXIT_CLEAN);
}

/* What was lost makes the run blind, and is named. */
static void test_lost_is_named(void **state)
{
	static const struct e4d_vcase c = {.w.len = 4096};
	struct e4d_vresult r = {.c = &c};
	struct e4d_vrun run = {.results = &r, .count = 1, .tracer.tier = E4D_TIER_KPROBE};
	char why[200];

	e4d_vrun_end(&run);
	assert_int_equal(e4d_vtool_sum(&run, why, sizeof(why)), E4D_V_AGREES);
	run.tracer.lost = 1;
	strcpy(run.tracer.losses, "half_seen 1");
	assert_int_equal(e4d_vtool_sum(&run, why, sizeof(why)), E4D_V_BLIND);
	assert_non_null(strstr(why, "1 event lost: half_seen 1"));
	assert_int_equal(e4d_vrun_exit(&run), E4D_EXIT_BLIND);
}

/* A full disk is the environment's, but for the cases that are about it. */
static void test_starved(void **state)
{
	static const struct e4d_vcase plain = {.w.len = 262144},
				      full = {.w = {.len = 262144, .setup = wl_setup_nearly_full}};
	const struct e4d_vfs fs = {.blksize = 4096, .unit = 4096, .extents = true};
	const int starved[] = {-ENOSPC, -EDQUOT, -ENOMEM, -ECANCELED};
	struct wl_outcome o = {0};

	for (size_t i = 0; i < sizeof(starved) / sizeof(*starved); i++) {
		struct e4d_vresult r = {.c = &plain, .res.submitted = 262144};

		r.res.ret = starved[i];
		e4d_vcheck_kernel(&r, &o, &fs);
		assert_int_equal(r.kernel, E4D_V_SKIP);
		assert_true(r.not_run);
		assert_non_null(strstr(r.why, strerror(-starved[i])));
		r.isize_after = 4096; /* what it leaves is the kernel's all the same */
		r.not_run = false;
		e4d_vcheck_kernel(&r, &o, &fs);
		assert_int_equal(r.kernel, E4D_V_FAIL);
		assert_false(r.not_run);
	}
	struct e4d_vresult r = {.c = &full, .res = {.submitted = 262144, .ret = -ENOSPC}};

	e4d_vcheck_kernel(&r, &o, &fs);
	assert_int_equal(r.kernel, E4D_V_FAIL);
	r = (struct e4d_vresult){.c = &plain, .res = {.submitted = 262144, .ret = -EIO}};
	e4d_vcheck_kernel(&r, &o, &fs);
	assert_int_equal(r.kernel, E4D_V_FAIL);
}

/* What was ignored from the start stays so, also while blocked. */
static void test_ignored_signals(void **state)
{
	const struct timespec none = {0};
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	signal(SIGHUP, SIG_IGN);
	e4d_vrun_hold_signals(true);
	raise(SIGHUP);
	ASKED("the file system would be nearly full", run.writes = 0);
	raise(SIGTERM);
	ASKED("interrupted", run.writes = 0);
	ASKED("interrupted", run.safe = false);
	assert_int_equal(sigtimedwait(&term, NULL, &none), SIGTERM);
	e4d_vrun_hold_signals(false);
	signal(SIGHUP, SIG_DFL);
}

static int64_t run_sleep(const struct wl_case *c, int fd, struct wl_result *res)
{
	(void)c;
	(void)fd;
	res->opaque_from = (uint64_t)getpid();
	sleep(20);
	return 0;
}

static int64_t run_stubborn(const struct wl_case *c, int fd, struct wl_result *res)
{
	signal(SIGALRM, SIG_IGN); /* only its parent can end it */
	return run_sleep(c, fd, res);
}

static int64_t run_raise(const struct wl_case *c, int fd, struct wl_result *res)
{
	(void)fd;
	(void)res;
	signal((int)c->len, SIG_DFL); /* not cmocka's */
	raise((int)c->len);
	return 0;
}

static void meanwhile(void *ctx)
{
	(void)ctx;
	usleep(2000);
}

/* By a file without a name in this directory; which must have FIEMAP and O_DIRECT. */
static enum wl_end execute(const struct wl_case *c, struct wl_result *res, struct wl_outcome *out)
{
	const struct wl_how_run how = {.seconds = 1, .grace = 5, .meanwhile = meanwhile};
	const struct e4d_vmount here = {.dir = "."};
	int fd = e4d_vmount_file(&here);
	struct wl_env env = {.blksize = 4096};
	enum wl_end end;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	end = wl_execute(c, path, fd, &env, &how, res, out);
	close(fd);
	return end;
}

static void test_writer_that_does_not_end(void **state)
{
	static const struct {
		struct wl_case c;
		int err;
		const char *says;
	} table[] = {
		{{.run = run_sleep}, -ETIMEDOUT, "longer than 1 s; is the device busy?"},
		{{.run = run_stubborn}, -ETIMEDOUT, "longer than 1 s; is the device busy?"},
		{{.run = run_raise, .len = SIGKILL}, -EINTR, "the writer was killed: Killed"},
		{{.run = run_raise, .len = SIGBUS}, -EFAULT, "killed: Bus error"},
		/* that it is killed is what it is for, but not by its time */
		{{.run = run_sleep, .held = WL_HELD_KILL}, -ETIMEDOUT, "longer than 1 s"},
	};
	struct wl_result *res = wl_result_new();
	struct wl_outcome out;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(execute(&table[i].c, res, &out), WL_BROKE);
		if (out.err == -EOPNOTSUPP || res->skip[0]) {
			print_message("no FIEMAP here, or %s\n", res->skip);
			skip();
		}
		if (out.err != table[i].err || !strstr(out.broke, table[i].says))
			fail_msg("%zu: %d %s", i, out.err, out.broke);
	}
}

/* SIGKILL of the parent is the writer's, too: at once, and not when its time is over. */
static void test_writer_dies_with_its_parent(void **state)
{
	static const struct wl_case c = {.run = run_stubborn};
	struct wl_result *res = wl_result_new();
	struct wl_outcome out;
	volatile uint64_t *writer = &res->opaque_from;
	int status = 0;
	double since;
	pid_t parent;

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* the orphan is ours */
	parent = fork();
	if (!parent)
		_exit(execute(&c, res, &out) == WL_BROKE);
	for (since = now(); !*writer && now() - since < 5;)
		usleep(1000);
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	if (!*writer) {
		print_message("no FIEMAP or O_DIRECT here\n");
		skip();
	}
	for (since = now(); !waitpid((pid_t)*writer, &status, WNOHANG) && now() - since < 10;)
		usleep(1000);
	assert_true(now() - since < 10);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Makes every open with O_TMPFILE fail, as on a file system that has none. */
static int filter_calls(struct sock_filter *code, unsigned short len)
{
	struct sock_fprog prog = {.len = len, .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

/* From here on this system call fails so. */
static int without(unsigned int syscall_nr, int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syscall_nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return filter_calls(code, sizeof(code) / sizeof(code[0]));
}

static int64_t run_without_uring(const struct wl_case *c, int fd, struct wl_result *res)
{
	struct wl_case plain = *c;

	plain.run = NULL;
	return without(SYS_io_uring_setup, EPERM) ? -1 : wl_run_plain(&plain, fd, res);
}

/* What is not offered was not written: the tracer has nothing to see. */
static void test_not_offered(void **state)
{
	const struct wl_case c = {
		.name = "a/b", .len = 4096, .submit = wl_submit_uring, .run = run_without_uring};
	struct wl_outcome out;
	struct wl_result *res = wl_result_new();

	(void)state;
	assert_non_null(res);
	assert_int_equal(execute(&c, res, &out), WL_SKIPPED);
	assert_string_equal(res->skip, "io_uring_setup: Operation not permitted");
	assert_false(res->scarce);
	assert_false(res->done);
	assert_int_equal(res->writes, 0);
	wl_outcome_free(&out);
}

static int without_tmpfile(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return filter_calls(code, sizeof(code) / sizeof(code[0]));
}

static int file_without_tmpfile(void)
{
	const struct e4d_vmount here = {.dir = "."};
	struct stat st;
	int fd;

	if (without_tmpfile())
		return 77;
	if (open(".", O_TMPFILE | O_RDWR, 0600) >= 0)
		return 1;
	fd = e4d_vmount_file(&here);
	if (fd < 0 || fstat(fd, &st))
		return 2;
	return st.st_nlink ? 3 : 0;
}

static void test_no_name_without_tmpfile(void **state)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid)
		_exit(file_without_tmpfile());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77) {
		print_message("no seccomp here\n");
		skip();
	}
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_bound),
		cmocka_unit_test(test_room_in_units),
		cmocka_unit_test(test_not_run_is_no_success),
		cmocka_unit_test(test_lost_is_named),
		cmocka_unit_test(test_starved),
		cmocka_unit_test(test_ignored_signals),
		cmocka_unit_test(test_writer_that_does_not_end),
		cmocka_unit_test(test_writer_dies_with_its_parent),
		cmocka_unit_test(test_not_offered),
		cmocka_unit_test(test_no_name_without_tmpfile),
	};

	return cmocka_run_group_tests_name("vrun", tests, NULL, NULL);
}
