/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Children that write to a file of nobody else's, for tests that count what they did. */
#ifndef E4D_TESTS_CHILDREN_H
#define E4D_TESTS_CHILDREN_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "writes.h"

#define BLOCKS 64 /* of a scratch file */

/* An empty file, removed from the directory. */
static inline int scratch(void)
{
	int fd = open(getenv("E4D_DIR"), O_TMPFILE | O_RDWR | O_DIRECT, 0600);

	assert_true(fd >= 0);
	return fd;
}

static inline void reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* n writes of a block by a child, one after the other from block 0 on, and round. */
static inline pid_t child_writes(int fd, long n)
{
	pid_t pid = fork();

	if (!pid) {
		void *buf = block();

		for (long i = 0; i < n; i++)
			if (pwrite(fd, buf, BLOCK, (i % BLOCKS) * BLOCK) != BLOCK)
				_exit(1);
		_exit(0);
	}
	reap(pid);
	return pid;
}

/* n writes inside EOF of three blocks each, of which `good` can be read. */
static inline pid_t child_fails(int fd, int n, int good)
{
	pid_t pid = fork();

	if (!pid) {
		char *p = mmap(NULL, 3 * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		               -1, 0);

		if (p == MAP_FAILED || mprotect(p + good * BLOCK, (3 - good) * BLOCK, PROT_NONE))
			_exit(1);
		for (int i = 0; i < n; i++)
			if (pwrite(fd, p, 3 * BLOCK, 0) == 3 * BLOCK)
				_exit(1);
		_exit(0);
	}
	reap(pid);
	return pid;
}

/* The tracepoint tier before 6.6 sees no completion: no error, no latency. */
static inline bool is_blind(const struct e4d_session *s)
{
	const struct e4d_attached *att = e4d_session_attached(s);

	if (e4d_session_tier(s) != E4D_TIER_TRACEPOINT)
		return false;
	for (int i = 0; i < att->n; i++)
		if (!strncmp(att->hooks[i]->prog, "tp_dio_complete", 15))
			return false;
	return true;
}

#endif
