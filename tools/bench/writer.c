/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The benchmark's writer. A window is N operations of 4 KiB between markers;
 * one line for each:
 *
 *   window MODE N WALL_NS CPU_NS       wall and the writing threads' CPU time
 *
 * Under -icount a nanosecond is an instruction. The stop marker comes SETTLE_NS
 * after the last operation, so that the plugin's count holds the consumers' work.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "marker.h"

#define BLOCK       4096
#define MAX_THREADS 64
#define SETTLE_NS   150000000L /* 150 ms: a delivery of ours, several ticks of any consumer */

#define NOP(op)   ".byte 0x0f, 0x1f, 0x84, 0x00, " #op ", 0xd4, 0xe4, 0x5a"
#define MARK(op)  MARK_(op)
#define MARK_(op) __asm__ volatile(NOP(op)::: "memory")

static const char usage[] =
	"usage: writer MODE PATH [N [WINDOWS [THREADS]]]     (5000, 3, 1)\n"
	"  overwrite  direct writes of blocks that are written already\n"
	"  append     direct writes at the end of the file\n"
	"  read       direct reads\n"
	"  buffered   buffered overwrites of cached pages\n"
	"  idle       N ms of nothing\n"
	"  fill       no window: makes PATH N blocks long\n"
	"  hold       no window: submits N asynchronous direct writes to PATH, prints\n"
	"             'held', and lives until SIGTERM\n"
	"A first window warms up and is not shown.\n"
	"example: writer overwrite /mnt/f 5000 3\n";

struct mode {
	const char *name;
	int flags;
	bool fill, read, grow, idle;
};

static const struct mode modes[] = {
	{"overwrite", O_RDWR | O_DIRECT, .fill = true},
	{"append", O_RDWR | O_DIRECT, .grow = true},
	{"read", O_RDWR | O_DIRECT, .fill = true, .read = true},
	{"buffered", O_RDWR, .fill = true},
	{"idle", O_RDWR, .idle = true},
};

struct job {
	const struct mode *mode;
	int fd, settle;
	long n;
	uint64_t cpu;
	pthread_t thread;
};

static unsigned char block[BLOCK] __attribute__((aligned(BLOCK)));

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "writer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pause_ns(long ns)
{
	struct timespec ts = {ns / 1000000000, ns % 1000000000};

	nanosleep(&ts, NULL);
}

/* The file is reused, a window's offsets wrap around in it unless it grows. */
static void *work(void *arg)
{
	struct job *j = arg;
	unsigned char copy[BLOCK] __attribute__((aligned(BLOCK)));
	uint64_t from = now(CLOCK_THREAD_CPUTIME_ID);

	memset(copy, 0, sizeof(copy));
	if (j->mode->idle)
		pause_ns(j->n * 1000000);
	for (long i = 0; i < j->n && !j->mode->idle; i++) {
		off_t at = (j->mode->grow ? i : i % 1024) * BLOCK;
		ssize_t got = j->mode->read ? pread(j->fd, copy, BLOCK, at)
		                            : pwrite(j->fd, block, BLOCK, at);

		if (got != BLOCK)
			fail(j->mode->name);
	}
	j->cpu = now(CLOCK_THREAD_CPUTIME_ID) - from;
	return NULL;
}

static void window(struct job *jobs, int threads, bool show)
{
	const struct mode *m = jobs->mode;
	uint64_t from, wall, cpu = 0;

	for (int i = 0; i < threads; i++)
		if (m->grow && ftruncate(jobs[i].fd, 0))
			fail("truncate");
	if (syncfs(jobs[0].fd))
		fail("syncfs");
	if (show)
		MARK(E4D_MARK_START);
	from = now(CLOCK_MONOTONIC);
	for (int i = 1; i < threads; i++)
		if (pthread_create(&jobs[i].thread, NULL, work, &jobs[i]))
			fail("thread");
	work(&jobs[0]);
	for (int i = 1; i < threads; i++)
		pthread_join(jobs[i].thread, NULL);
	wall = now(CLOCK_MONOTONIC) - from;
	if (!m->idle)
		pause_ns(SETTLE_NS);
	if (show)
		MARK(E4D_MARK_STOP);
	for (int i = 0; i < threads; i++)
		cpu += jobs[i].cpu;
	if (show)
		printf("window %s %ld %llu %llu\n", m->name, jobs->n * threads,
		       (unsigned long long)wall, (unsigned long long)cpu);
	fflush(stdout);
}

static void open_file(struct job *j, const char *path, int i)
{
	char name[4096];

	snprintf(name, sizeof(name), "%s.%s.%d", path, j->mode->name, i);
	j->fd = open(name, j->mode->flags | O_CREAT, 0600);
	if (j->fd < 0)
		fail(name);
	for (long b = 0; j->mode->fill && b < 1024; b++)
		if (pwrite(j->fd, block, BLOCK, b * BLOCK) != BLOCK)
			fail(name);
}

static int fill(const char *path, long n)
{
	int fd = open(path, O_RDWR | O_CREAT | O_DIRECT, 0600);

	if (fd < 0)
		fail(path);
	for (long b = 0; b < n; b++)
		if (pwrite(fd, block, BLOCK, b * BLOCK) != BLOCK)
			fail(path);
	fsync(fd);
	return 0;
}

/* The caller sees to it that they do not complete. */
static int hold(const char *path, long n)
{
	struct iocb *iocbs = calloc(n + 1, sizeof(*iocbs)), *p;
	int fd = open(path, O_RDWR | O_DIRECT), sig;
	aio_context_t ctx = 0;
	sigset_t set;

	if (!iocbs || fd < 0 || (n && syscall(__NR_io_setup, (unsigned int)n, &ctx)))
		fail(path);
	for (long i = 0; i < n; i++) {
		p = &iocbs[i];
		p->aio_fildes = fd;
		p->aio_lio_opcode = IOCB_CMD_PWRITE;
		p->aio_buf = (uintptr_t)block;
		p->aio_nbytes = BLOCK;
		p->aio_offset = i * BLOCK;
		if (syscall(__NR_io_submit, ctx, 1L, &p) != 1)
			fail("io_submit");
	}
	printf("held %ld\n", n);
	fflush(stdout);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &sig);
	return 0;
}

int main(int argc, char **argv)
{
	long n = argc > 3 ? atol(argv[3]) : 5000, windows = argc > 4 ? atol(argv[4]) : 3;
	int threads = argc > 5 ? atoi(argv[5]) : 1;
	const struct mode *mode = NULL;
	struct job jobs[MAX_THREADS] = {0};

	if (argc == 4 && !strcmp(argv[1], "fill"))
		return fill(argv[2], n);
	if (argc == 4 && !strcmp(argv[1], "hold"))
		return hold(argv[2], n);
	for (size_t i = 0; argc > 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name))
			mode = &modes[i];
	if (!mode || n < 1 || windows < 1 || threads < 1 || threads > MAX_THREADS) {
		fputs(usage, stderr);
		return 2;
	}
	for (int i = 0; i < threads; i++) {
		jobs[i].mode = mode;
		jobs[i].n = n / threads;
		open_file(&jobs[i], argv[2], i);
	}
	window(jobs, threads, false);
	for (long w = 0; w < windows; w++)
		window(jobs, threads, true);
	return 0;
}
