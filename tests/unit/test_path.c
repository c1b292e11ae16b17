/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Paths of inodes and --confirm, on files of our own in the current directory
 * (skipped where that is no ext4). Blocks past EOF come from fallocate with
 * KEEP_SIZE: unwritten, but blocks.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/fs.h>
#include <linux/magic.h>

#include "confirm/confirm.h"
#include "path/path.h"

static char dir[PATH_MAX], file[PATH_MAX + 16];

static int setup(void **state)
{
	(void)state;
	if (!getcwd(dir, sizeof(dir) - 32))
		return -1;
	strcat(dir, "/e4d-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/f", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(dir);
}

static struct e4d_record record_of(int fd)
{
	struct e4d_record r = {.pid = (__u32)getpid(), .blkbits = 12};
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	r.ino = st.st_ino;
	r.dev = major(st.st_dev) << 20 | minor(st.st_dev);
	r.isize_after = (__u64)st.st_size;
	return r;
}

static int new_file(off_t size)
{
	int fd;

	unlink(file);
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	for (off_t at = 0; at < size; at += 512)
		assert_int_equal(pwrite(fd, file, 512, at), 512);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static void test_resolve(void **state)
{
	struct e4d_paths *paths;
	struct e4d_record r;
	char want[PATH_MAX + 32];
	int fd = new_file(0), dup_fd;

	(void)state;
	r = record_of(fd);
	assert_int_equal(e4d_paths_open(&paths), 0);
	assert_string_equal(e4d_path_resolve(paths, &r), file);
	assert_int_equal(e4d_path_find_fd(r.pid, r.dev, r.ino), fd);
	dup_fd = fd;
	close(fd);
	/* cached, though nobody has it open any more */
	assert_string_equal(e4d_path_resolve(paths, &r), file);
	r.gen = 1; /* another inode by now: not the cached name */
	assert_null(e4d_path_resolve(paths, &r));
	fd = new_file(0);
	assert_int_equal(fd, dup_fd);
	r = record_of(fd);
	r.gen = 2;
	assert_int_equal(unlink(file), 0);
	snprintf(want, sizeof(want), "%s (deleted)", file);
	assert_string_equal(e4d_path_resolve(paths, &r), want);
	close(fd);
	e4d_paths_close(paths);
	e4d_paths_close(NULL);
}

static void test_negative(void **state)
{
	struct e4d_paths *paths;
	struct e4d_record r;
	int fd = new_file(0);

	(void)state;
	r = record_of(fd);
	assert_int_equal(e4d_paths_open(&paths), 0);
	r.pid = 0x7fffffff; /* no such process */
	assert_null(e4d_path_resolve(paths, &r));
	assert_int_equal(e4d_path_find_fd(r.pid, r.dev, r.ino), -ENOENT);
	/* the failure is remembered for that process, not for this one */
	r.pid = (__u32)getpid();
	assert_string_equal(e4d_path_resolve(paths, &r), file);
	r.dev ^= 1;
	assert_null(e4d_path_resolve(paths, &r));
	close(fd);
	e4d_paths_close(paths);
}

/* A writer that has gone: the inode's own number and generation find the name. */
static void test_handle(void **state)
{
	struct e4d_paths *paths;
	struct e4d_record r;
	__u32 gen[2] = {0, 0};
	int fd = new_file(0);

	(void)state;
	r = record_of(fd);
	r.pid = 0x7fffffff;
	if (ioctl(fd, FS_IOC_GETVERSION, gen) || geteuid()) {
		close(fd);
		print_message("%s has no generations, or this is not root\n", dir);
		skip();
	}
	r.gen = gen[0];
	assert_int_equal(e4d_paths_open(&paths), 0);
	assert_string_equal(e4d_path_resolve(paths, &r), file);
	e4d_paths_close(paths);
	assert_int_equal(e4d_paths_open(&paths), 0);
	r.gen ^= 1;
	assert_null(e4d_path_resolve(paths, &r));
	close(fd);
	e4d_paths_close(paths);
}

static void test_bounded(void **state)
{
	struct e4d_paths *paths;
	struct e4d_record r;
	int fd = new_file(0);

	(void)state;
	r = record_of(fd);
	assert_int_equal(e4d_paths_open(&paths), 0);
	for (__u32 i = 0; i < 3 * E4D_PATH_CACHE; i++) {
		struct e4d_record other = r;

		other.ino = (__u64)i << 33 | 7;
		other.pid = 0x7fffffff;
		assert_null(e4d_path_resolve(paths, &other));
		r.gen = i / 100;
		assert_string_equal(e4d_path_resolve(paths, &r), file);
	}
	close(fd);
	e4d_paths_close(paths);
}

static void need_ext4(void)
{
	struct statfs fs;

	assert_int_equal(statfs(dir, &fs), 0);
	if (fs.f_type != EXT4_SUPER_MAGIC || fs.f_bsize != 4096) {
		print_message("%s is no ext4 with 4 KiB blocks\n", dir);
		skip();
	}
}

static int evidence(struct e4d_record r, __u8 verdict, const char *path)
{
	__u64 past = 77;

	r.verdict = verdict;
	r.evidence = E4D_OBSERVED;
	assert_int_equal(e4d_confirm(&r, path, &past), 0);
	assert_int_equal(past, 0); /* nothing written past EOF in these files */
	return r.evidence;
}

static void test_confirm(void **state)
{
	static const __u8 good[] = {E4D_CLEAN, E4D_TRIMMED, E4D_REUSED, E4D_EXPOSED};
	struct e4d_record r;
	int fd;

	(void)state;
	need_ext4();
	fd = new_file(7680);
	r = record_of(fd);
	r.alloc_end = 1048576;
	assert_int_equal(evidence(r, E4D_LEAK, NULL), E4D_REFUTED);
	for (int i = 0; i < 4; i++)
		assert_int_equal(evidence(r, good[i], NULL), E4D_CONFIRMED);
	assert_int_equal(evidence(r, E4D_UNKNOWN, NULL), E4D_OBSERVED);
	assert_int_equal(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1048576), 0);
	assert_int_equal(evidence(r, E4D_LEAK, NULL), E4D_CONFIRMED);
	assert_int_equal(evidence(r, E4D_TRIM_FAILED, NULL), E4D_CONFIRMED);
	for (int i = 0; i < 4; i++)
		assert_int_equal(evidence(r, good[i], NULL), E4D_REFUTED);
	/* unwritten blocks may be the preallocation's */
	r.prealloc = 4096;
	assert_int_equal(evidence(r, E4D_LEAK, NULL), E4D_REFUTED);
	assert_int_equal(evidence(r, E4D_PREALLOC, NULL), E4D_CONFIRMED);
	/* past what this write allocated */
	r.prealloc = 0;
	r.alloc_end = 8192;
	assert_int_equal(evidence(r, E4D_LEAK, NULL), E4D_REFUTED);
	r.alloc_end = 8193;
	assert_int_equal(evidence(r, E4D_LEAK, NULL), E4D_CONFIRMED);
	close(fd);
	/* by path only */
	assert_int_equal(evidence(r, E4D_LEAK, file), E4D_CONFIRMED);
}

static void test_confirm_bytes(void **state)
{
	struct e4d_past_eof past;
	int fd;

	(void)state;
	need_ext4();
	fd = new_file(7680);
	assert_int_equal(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1048576), 0);
	assert_int_equal(e4d_confirm_fd(fd, 0, 16384, 65536, 1, &past), 0);
	assert_int_equal(past.unwritten, 1040384);
	assert_int_equal(past.written, 0);
	assert_int_equal(past.own, 49152);
	assert_int_equal(ftruncate(fd, 0), 0);
	/* more extents than one FIEMAP call holds: every other block */
	for (int i = 0; i < 400; i++)
		assert_int_equal(fallocate(fd, FALLOC_FL_KEEP_SIZE, i * 8192L, 4096), 0);
	assert_int_equal(e4d_confirm_fd(fd, 12, 0, 40960, 1, &past), 0);
	assert_int_equal(past.unwritten, 400 * 4096);
	assert_int_equal(past.own, 20480);
	close(fd);
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	assert_int_equal(e4d_confirm_fd(fd, 12, 0, 1, 1, &past), -EOPNOTSUPP);
	close(fd);
}

static void expect_refusal(struct e4d_record r, const char *path, int err)
{
	__u64 past = 77;

	r.verdict = E4D_CLEAN;
	r.evidence = E4D_INFERRED;
	assert_int_equal(e4d_confirm(&r, path, &past), err);
	assert_int_equal(r.evidence, E4D_INFERRED);
	assert_int_equal(past, 77);
}

static void test_confirm_refuses(void **state)
{
	struct e4d_record r, other;
	char alias[PATH_MAX + 32];
	__u32 gen[2] = {0, 0};
	int fd;

	(void)state;
	need_ext4();
	fd = new_file(7680);
	r = record_of(fd);
	other = r;
	other.isize_after--;
	expect_refusal(other, NULL, -ESTALE); /* i_size has moved on */
	expect_refusal(other, "/no/such", -ESTALE);
	if (!ioctl(fd, FS_IOC_GETVERSION, gen)) {
		other = r;
		other.gen = gen[0] + 1 ? gen[0] + 1 : 1;
		expect_refusal(other, NULL, -ESTALE); /* the number in use again */
		r.gen = gen[0];
		assert_int_equal(evidence(r, E4D_CLEAN, NULL), E4D_CONFIRMED);
	}
	close(fd);
	if (r.gen && !geteuid()) /* closed, without a name: by its handle */
		assert_int_equal(evidence(r, E4D_CLEAN, NULL), E4D_CONFIRMED);
	r.gen = 0; /* a handle needs the generation */
	expect_refusal(r, NULL, -ENOENT);
	expect_refusal(r, "/no/such", -ENOENT);
	expect_refusal(r, "relative", -ENOENT);
	expect_refusal(r, "/dev/null", -ESTALE);
	expect_refusal(r, "/etc/passwd", -ESTALE);
	expect_refusal(r, dir, -ESTALE);
	snprintf(alias, sizeof(alias), "%s/alias", dir);
	assert_int_equal(symlink(file, alias), 0);
	expect_refusal(r, alias, -ESTALE); /* the link itself, not what it names */
	unlink(alias);
	assert_int_equal(mkfifo(alias, 0600), 0);
	expect_refusal(r, alias, -ESTALE); /* and does not hang */
	unlink(alias);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),         cmocka_unit_test(test_negative),
		cmocka_unit_test(test_handle),          cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_confirm),         cmocka_unit_test(test_confirm_bytes),
		cmocka_unit_test(test_confirm_refuses),
	};

	return cmocka_run_group_tests_name("path and confirm", tests, setup, teardown);
}
