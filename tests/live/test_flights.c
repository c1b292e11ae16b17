/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Writes under way, held there by a page of their buffer that nobody provides
 * (userfaultfd). E4D_DIR, E4D_TIER, E4D_UNFILTERED as in test_files.c. Truth is what
 * the child does, and stat().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include "children.h"
#include "session/session.h"
#include "util/log.h"

/* A child whose write does not go on before it is told to. */
struct held {
	pid_t pid;
	int ready[2], go[2];
	uint64_t before; /* CLOCK_BOOTTIME ns */
};

/* What was found of one child. */
struct found {
	pid_t pid;
	uint64_t ino; /* looked for where no pid is known */
	int n;
	struct e4d_flight last;
};

static struct e4d_session *session;

static void start(uint32_t wanted, bool files, bool all)
{
	struct e4d_session_opts so = {
		.cfg.files = files, .cfg.all = all, .on_record = ignore_record};

	session = open_session(&so, getenv("E4D_UNFILTERED") ? NULL : getenv("E4D_DIR"));
	assert_int_equal(e4d_session_want(session, wanted), files ? 0 : -EINVAL);
}

static void end(void)
{
	assert_int_equal(e4d_session_stop(session), 0);
	e4d_session_close(session);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void on_flight(void *ctx, const struct e4d_flight *f)
{
	struct found *to = ctx;

	if (f->known & E4D_FLIGHT_THREAD ? f->pid != (uint32_t)to->pid : f->ino != to->ino)
		return;
	to->n++;
	to->last = *f;
}

static struct found find(pid_t pid, int fd)
{
	struct found found = {.pid = pid};
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	found.ino = st.st_ino;
	e4d_session_flights(session, on_flight, &found);
	return found;
}

/* Waits until n are under way. */
static struct found wait_for(pid_t pid, int fd, int n)
{
	struct found found = {0};

	for (int i = 0; i < 1000; i++) {
		found = find(pid, fd);
		if (found.n == n)
			return found;
		usleep(10000);
	}
	fail_msg("%d writes under way and not %d", found.n, n);
	return found;
}

/* One, and its mapping has been made: what holds it comes after. */
static struct found wait_mapped(pid_t pid, int fd)
{
	struct found found = wait_for(pid, fd, 1);

	for (int i = 0; i < 1000 && !found.last.mapped; i++) {
		usleep(10000);
		found = wait_for(pid, fd, 1);
	}
	return found;
}

/* What the child's other thread writes: the last page of the buffer is not there. */
struct job {
	int fd;
	off_t offset;
	char *buf;
	size_t len;
};

static void *write_job(void *arg)
{
	struct job *j = arg;

	return pwrite(j->fd, j->buf, j->len, j->offset) == (ssize_t)j->len ? NULL : j;
}

/* The number of the userfaultfd that the last page of buf waits at. */
static int without_last(char *buf, size_t len)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.range = {(uintptr_t)buf + len - BLOCK, BLOCK},
	                              .mode = UFFDIO_REGISTER_MODE_MISSING};
	int u = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (u < 0 || ioctl(u, UFFDIO_API, &api) || ioctl(u, UFFDIO_REGISTER, &reg))
		_exit(3);
	return u;
}

static void held_child(const struct held *h, int fd, off_t offset, size_t len)
{
	char *buf = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_zeropage zero = {.range = {(uintptr_t)buf + len - BLOCK, BLOCK}};
	struct job job = {fd, offset, buf, len};
	void *failed = NULL;
	pthread_t thread;
	char c;
	int u;

	if (buf == MAP_FAILED)
		_exit(1);
	memset(buf, 1, len - BLOCK);
	u = without_last(buf, len);
	if (pthread_create(&thread, NULL, write_job, &job) || write(h->ready[1], "r", 1) != 1 ||
	    read(h->go[0], &c, 1) != 1 || ioctl(u, UFFDIO_ZEROPAGE, &zero) ||
	    pthread_join(thread, &failed))
		_exit(2);
	_exit(failed != NULL);
}

static void hold(struct held *h, int fd, off_t offset, size_t len)
{
	char c;

	assert_int_equal(pipe(h->ready), 0);
	assert_int_equal(pipe(h->go), 0);
	h->before = now_ns();
	h->pid = fork();
	if (!h->pid)
		held_child(h, fd, offset, len);
	assert_int_equal(read(h->ready[0], &c, 1), 1);
}

static void release(struct held *h)
{
	assert_int_equal(write(h->go[1], "g", 1), 1);
	reap(h->pid);
	for (int i = 0; i < 2; i++)
		close(h->ready[i]), close(h->go[i]);
}

static void assert_file(const struct e4d_flight *f, int fd)
{
	unsigned int gen = 0;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ioctl(fd, FS_IOC_GETVERSION, &gen), 0);
	assert_true(f->known & E4D_FLIGHT_FILE);
	assert_int_equal(f->ino, st.st_ino);
	assert_int_equal(f->dev, major(st.st_dev) << 20 | minor(st.st_dev));
	assert_int_equal(f->gen, gen);
}

static void assert_whole(const struct e4d_flight *f, const struct held *h, off_t offset, size_t len)
{
	const uint32_t all = E4D_FLIGHT_FILE | E4D_FLIGHT_THREAD | E4D_FLIGHT_OFFSET;

	assert_int_equal(f->known & all, all);
	assert_int_equal(f->pid, h->pid);
	assert_int_not_equal(f->tid, h->pid);
	assert_int_equal(f->offset, offset);
	assert_int_equal(f->submitted, len);
	assert_true(f->flags & E4D_F_SYNC);
	assert_in_range(f->begin_ns, h->before, now_ns());
	assert_false(f->doubtful);
}

/* Before 6.6 the tracepoint tier knows nothing of a plain write but its begin. */
static bool plain_unknown(void)
{
	if (!is_blind(session))
		return false;
	end();
	return true;
}

static void test_plain_as_wanted(void **state)
{
	int fd = scratch();
	struct found found;
	struct held h;

	(void)state;
	child_writes(fd, BLOCKS);
	start(E4D_WANT_FLIGHTS, true, false);
	if (plain_unknown())
		return;
	hold(&h, fd, 3 * BLOCK, 4 * BLOCK);
	found = wait_for(h.pid, fd, 1);
	assert_whole(&found.last, &h, 3 * BLOCK, 4 * BLOCK);
	assert_file(&found.last, fd);
	assert_false(found.last.flags & E4D_F_EXTEND);
	usleep(1200000); /* old enough to be asked after */
	found = wait_for(h.pid, fd, 1);
	assert_whole(&found.last, &h, 3 * BLOCK, 4 * BLOCK);
	release(&h);
	assert_int_equal(find(h.pid, fd).n, 0);
	close(fd);
	end();
}

/* Nobody wanted to know whose: the file's row tells the file. */
static void test_plain_unasked(void **state)
{
	int fd = scratch();
	struct found found;
	struct held h;

	(void)state;
	child_writes(fd, BLOCKS);
	start(0, true, false);
	if (plain_unknown())
		return;
	child_writes(fd, 1);
	hold(&h, fd, 0, 2 * BLOCK);
	found = wait_for(h.pid, fd, 1);
	assert_int_equal(found.last.known, E4D_FLIGHT_FILE);
	assert_file(&found.last, fd);
	assert_int_equal(found.last.submitted, 2 * BLOCK);
	assert_int_equal(found.last.pid + found.last.tid + found.last.offset, 0);
	assert_in_range(found.last.begin_ns, h.before, now_ns());
	release(&h);
	assert_int_equal(find(h.pid, fd).n, 0);
	close(fd);
	end();
}

static void test_followed(void **state)
{
	int fd = scratch();
	struct found found;
	struct held h;

	(void)state;
	start(0, false, false);
	hold(&h, fd, BLOCK, 2 * BLOCK);
	found = wait_mapped(h.pid, fd);
	if (is_blind(session)) /* it cannot tell the kinds */
		found.last.flags |= E4D_F_SYNC;
	assert_whole(&found.last, &h, BLOCK, 2 * BLOCK);
	assert_file(&found.last, fd);
	assert_true(found.last.flags & E4D_F_EXTEND);
	assert_true(found.last.known & E4D_FLIGHT_MAPPED);
	assert_int_equal(found.last.mapped, 2 * BLOCK);
	release(&h);
	close(fd);
	end();
}

static void test_with_all(void **state)
{
	int fd = scratch();
	struct found found;
	struct held h;

	(void)state;
	child_writes(fd, BLOCKS);
	start(0, false, true);
	if (plain_unknown())
		return;
	hold(&h, fd, 5 * BLOCK, 3 * BLOCK);
	found = wait_mapped(h.pid, fd);
	assert_whole(&found.last, &h, 5 * BLOCK, 3 * BLOCK);
	assert_file(&found.last, fd);
	assert_int_equal(found.last.mapped, 3 * BLOCK);
	release(&h);
	assert_int_equal(find(h.pid, fd).n, 0);
	close(fd);
	end();
}

/* In the child: tries without waiting, over a page in the cache: refused, and without a completion.
 */
static void refused_child(const struct held *h, int fd, const char *path)
{
	struct iovec v = {block(), BLOCK};
	int cached = open(path, O_RDONLY);
	char c;

	if (cached < 0 || pread(cached, v.iov_base, BLOCK, 0) != BLOCK)
		_exit(1);
	if (pwritev2(fd, &v, 1, 0, RWF_NOWAIT) >= 0 || errno != EAGAIN)
		_exit(2);
	if (write(h->ready[1], "r", 1) != 1 || read(h->go[0], &c, 1) != 1)
		_exit(3);
	_exit(0);
}

static void refuse(struct held *h, int fd)
{
	char path[64], c;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(pipe(h->ready), 0);
	assert_int_equal(pipe(h->go), 0);
	h->pid = fork();
	if (!h->pid)
		refused_child(h, fd, path);
	assert_int_equal(read(h->ready[0], &c, 1), 1);
}

/* What failed before it was submitted is not under way for ever. */
static void test_refused(void **state)
{
	int fd = scratch();
	struct held h = {0};

	(void)state;
	child_writes(fd, BLOCKS);
	start(E4D_WANT_FLIGHTS, true, false);
	if (plain_unknown())
		return;
	refuse(&h, fd);
	wait_for(h.pid, fd, 0);
	release(&h);
	close(fd);
	end();
}

/* Where nothing tells that it has failed, that is said. */
static void test_refused_unasked(void **state)
{
	int fd = scratch(), i;
	struct found found;
	struct held h = {0};

	(void)state;
	child_writes(fd, BLOCKS);
	start(0, true, false);
	if (plain_unknown())
		return;
	child_writes(fd, 1); /* the file has a row */
	refuse(&h, fd);
	for (i = 0; i < 1000; i++) {
		found = find(h.pid, fd);
		if (e4d_session_tier(session) == E4D_TIER_FENTRY
		            ? !found.n
		            : found.n == 1 && found.last.doubtful)
			break;
		usleep(10000);
	}
	assert_int_not_equal(i, 1000);
	release(&h);
	close(fd);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_as_wanted), cmocka_unit_test(test_plain_unasked),
		cmocka_unit_test(test_followed),        cmocka_unit_test(test_with_all),
		cmocka_unit_test(test_refused),         cmocka_unit_test(test_refused_unasked),
	};

	if (!getenv("E4D_DIR")) {
		e4d_err("E4D_DIR is not set: name a directory on a scratch ext4");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
