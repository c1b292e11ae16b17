/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/futex.h>

#include "group.h"

/* What goes over a worker's socket. */
enum word { GET_READY = 'g', READY = 'r', DONE = 'd' };

static void wait_for_start(struct rw_shared *shared, uint32_t seen)
{
	while (__atomic_load_n(&shared->start, __ATOMIC_ACQUIRE) == seen)
		syscall(SYS_futex, &shared->start, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static bool tell(int sock, enum word word)
{
	char c = (char)word;

	return send(sock, &c, 1, MSG_NOSIGNAL) == 1;
}

/* Returns the word, or 0 when the other side is gone. */
static int hear(int sock)
{
	char c = 0;
	ssize_t n;

	do
		n = read(sock, &c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? c : 0;
}

/* A descriptor that stays open would keep the file's inode after its unlink. */
static void work(struct rw_proc *p, struct rw_slot *slot, int sock)
{
	while (hear(sock) == GET_READY) {
		uint32_t seen = __atomic_load_n(&p->shared->start, __ATOMIC_ACQUIRE);

		rw_proc_direct(p, 0);
		rw_proc_buffered(p);
		rw_arena_get(p);
		tell(sock, READY);
		wait_for_start(p->shared, seen);
		for (unsigned int i = 0; i < slot->count; i++)
			rw_step_run(p, &slot->steps[i], (uint8_t)(slot->seed + i), &slot->log,
			            &slot->results[i]);
		rw_proc_close(p);
		tell(sock, DONE);
	}
	_exit(0);
}

static int spawn(struct rw_pool *pool, unsigned int at)
{
	pid_t parent = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(pair[0]);
		close(pair[1]);
		return err;
	}
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		/* The parent ends an episode before it ends; so must we. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		close(pair[0]);
		for (unsigned int i = 0; i < RW_ACTORS; i++)
			if (pool->worker[i].pid)
				close(pool->worker[i].sock);
		rw_proc_forked(pool->parent);
		work(pool->parent, &pool->parent->shared->slot[at], pair[1]);
	}
	close(pair[1]);
	pool->worker[at].pid = pid;
	pool->worker[at].sock = pair[0];
	return 0;
}

/* Returns the wait status. */
static int bury(struct rw_pool *pool, unsigned int at)
{
	int status = 0;

	while (waitpid(pool->worker[at].pid, &status, 0) < 0 && errno == EINTR)
		;
	close(pool->worker[at].sock);
	pool->worker[at].pid = 0;
	return status;
}

void rw_pool_init(struct rw_pool *pool, struct rw_proc *parent)
{
	memset(pool, 0, sizeof(*pool));
	pool->parent = parent;
}

int rw_pool_prepare(struct rw_pool *pool)
{
	struct rw_slot *slots = pool->parent->shared->slot;

	for (unsigned int i = 0; i < RW_ACTORS; i++) {
		int err = slots[i].count && !pool->worker[i].pid ? spawn(pool, i) : 0;

		if (err)
			return err;
	}
	for (unsigned int i = 0; i < RW_ACTORS; i++)
		if (slots[i].count && !tell(pool->worker[i].sock, GET_READY))
			return -EPIPE;
	for (unsigned int i = 0; i < RW_ACTORS; i++)
		if (slots[i].count && hear(pool->worker[i].sock) != READY)
			return -EPIPE;
	return 0;
}

/* A worker may end by its own timer only. */
static int ended(struct rw_pool *pool, unsigned int at)
{
	const struct rw_slot *slot = &pool->parent->shared->slot[at];
	pid_t pid = pool->worker[at].pid;
	int status = bury(pool, at);

	for (unsigned int i = 0; i < slot->count; i++)
		if (slot->steps[i].signal != RW_NONE && WIFSIGNALED(status) &&
		    WTERMSIG(status) == SIGKILL)
			return 0;
	fprintf(stderr, "randwrite: worker %d ended with status 0x%x, unasked\n", (int)pid,
	        (unsigned int)status);
	return -ECHILD;
}

int rw_pool_run(struct rw_pool *pool)
{
	struct rw_shared *shared = pool->parent->shared;
	int err = 0;

	__atomic_fetch_add(&shared->start, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &shared->start, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	for (unsigned int i = 0; i < RW_ACTORS; i++)
		if (shared->slot[i].count && hear(pool->worker[i].sock) != DONE && !err)
			err = ended(pool, i);
	return err;
}

void rw_pool_end(struct rw_pool *pool)
{
	for (unsigned int i = 0; i < RW_ACTORS; i++) {
		if (!pool->worker[i].pid)
			continue;
		shutdown(pool->worker[i].sock, SHUT_WR);
		bury(pool, i);
	}
}
