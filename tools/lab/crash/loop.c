/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Writes of all kinds, one new file each, until the machine is killed: each
 * writer says when its write begins and when it has ended, and another says
 * up to when all is on the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold.h"

#define WAIT_LIMIT_US 300000
#define SHORT_WAIT_US 10000
#define SYNC_EVERY_US 300000

static uint64_t next_random(uint64_t *s)
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* DIR/loop/FILE: the disk is DIR's last component. */
static void print_begin(const char *path, const struct hold_writer *w)
{
	char dir[WL_PAGE / 8], *file, *disk;
	struct stat st = {0};

	stat(path, &st);
	snprintf(dir, sizeof(dir), "%s", path);
	file = strrchr(dir, '/');
	*file++ = '\0';
	*strrchr(dir, '/') = '\0';
	disk = strrchr(dir, '/');
	dprintf(STDOUT_FILENO,
	        "{\"crash\":\"begin\",\"disk\":\"%s\",\"dev\":\"%u:%u\",\"run\":\"loop\","
	        "\"file\":\"%s\",\"ino\":%llu}\n",
	        disk ? disk + 1 : dir, major(st.st_dev), minor(st.st_dev), file,
	        (unsigned long long)w->ino);
}

/* A process for each write: memory, userfaultfd and thread go with it. */
static int one_write(const struct hold_case *c, const char *dir, uint64_t number, uint32_t wait_us,
                     struct hold_writer *w)
{
	char path[WL_PAGE / 8];
	struct stat st;
	pid_t pid;

	memset(w, 0, sizeof(*w));
	w->wait_us = wait_us;
	snprintf(path, sizeof(path), "%s/loop/%s.%llu", dir, c->name, (unsigned long long)number);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold_write(c, path, w, print_begin);
		_exit(0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (w->state == HOLD_ENDED && !stat(path, &st))
		dprintf(STDOUT_FILENO,
		        "{\"crash\":\"end\",\"dev\":\"%u:%u\",\"ino\":%llu,\"ret\":%lld,"
		        "\"end_ns\":%llu}\n",
		        major(st.st_dev), minor(st.st_dev), (unsigned long long)w->ino,
		        (long long)w->ret, (unsigned long long)hold_now());
	return 0;
}

static int writer(uint64_t seed, unsigned int number, char **dirs, int count)
{
	struct hold_writer *w =
		mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err = w == MAP_FAILED ? -errno : 0;

	seed += (uint64_t)number << 32;
	for (uint64_t i = 0; !err; i++) {
		uint64_t r = next_random(&seed);
		uint32_t limit = r >> 63 ? WAIT_LIMIT_US : SHORT_WAIT_US;

		err = one_write(&hold_cases[r % hold_case_count], dirs[(r >> 16) % count],
		                number * 1000000ULL + i, (r >> 32) % limit, w);
	}
	return err;
}

static int syncer(char **dirs, int count)
{
	int fds[16];

	for (int i = 0; i < count && i < 16; i++) {
		fds[i] = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fds[i] < 0)
			return -errno;
	}
	for (;;) {
		uint64_t begun = hold_now();

		for (int i = 0; i < count && i < 16; i++)
			if (syncfs(fds[i]))
				return -errno;
		dprintf(STDOUT_FILENO, "{\"crash\":\"sync\",\"begin_ns\":%llu}\n",
		        (unsigned long long)begun);
		hold_misses();
		usleep(SYNC_EVERY_US);
	}
}

int hold_loop(uint64_t seed, unsigned int workers, char **dirs, int count)
{
	char path[WL_PAGE / 8];
	int err;

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/loop", dirs[i]);
		if (mkdir(path, 0700)) {
			fprintf(stderr, "holdwrite: %s: %s\n", path, strerror(errno));
			return HOLD_CORRUPT;
		}
	}
	for (unsigned int i = 0; i < workers; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		err = writer(seed, i, dirs, count);
		fprintf(stderr, "holdwrite: writer %u: %s\n", i, strerror(-err));
		_exit(1);
	}
	err = syncer(dirs, count);
	fprintf(stderr, "holdwrite: syncfs: %s\n", strerror(-err));
	return HOLD_CORRUPT;
}
