/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "session/thread.h"

/* One small file of the thread, terminated; its length or negative errno. */
static ssize_t read_file(uint32_t pid, uint32_t tid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", pid, tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	return n;
}

/* The state's letter, and what follows it: comm may hold anything before. */
static const char *stat_state(const char *stat)
{
	const char *end = strrchr(stat, ')');

	return end && end[1] == ' ' && end[2] ? end + 2 : NULL;
}

static enum e4d_where worker_where(uint32_t pid, uint32_t tid)
{
	char buf[512];
	const char *state;
	ssize_t n = read_file(pid, tid, "stat", buf, sizeof(buf));

	if (n == -ENOENT || n == -ESRCH)
		return E4D_ELSEWHERE;
	state = n > 0 ? stat_state(buf) : NULL;
	if (state && *state == 'D')
		return E4D_BLOCKED;
	return state && *state == 'R' ? E4D_RUNNING : E4D_IDLE;
}

enum e4d_where e4d_thread_where(uint32_t pid, uint32_t tid, uint64_t call)
{
	uint64_t a[6], sp, pc;
	char buf[256];
	int64_t nr;
	ssize_t n = read_file(pid, tid, "syscall", buf, sizeof(buf));

	if (n == -ENOENT || n == -ESRCH)
		return E4D_ELSEWHERE;
	if (n > 0 && !strncmp(buf, "running", 7))
		return E4D_RUNNING;
	/* "NR a0 ... a5 sp pc" in a call; kernel threads print "-1 sp pc" or "0 0 0" */
	if (n <= 0 || !call ||
	    sscanf(buf,
	           "%" SCNd64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
	           " %" SCNx64 " %" SCNx64 " %" SCNx64,
	           &nr, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &sp, &pc) != 9)
		return worker_where(pid, tid);
	return e4d_call_id((uint64_t)nr, a[0], a[1], a[2], a[3], pc) == call ? E4D_INSIDE
	                                                                     : E4D_ELSEWHERE;
}

int e4d_thread_times(uint32_t pid, uint32_t tid, int64_t *utime, int64_t *stime)
{
	char buf[512];
	const char *state;

	if (read_file(pid, tid, "stat", buf, sizeof(buf)) <= 0)
		return -ESRCH;
	state = stat_state(buf);
	/* fields 3 to 13 lie before utime (proc(5)) */
	if (!state ||
	    sscanf(state, "%*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNd64 " %" SCNd64, utime,
	           stime) != 2)
		return -EINVAL;
	return 0;
}

void e4d_thread_comm(uint32_t pid, uint32_t tid, char comm[E4D_COMM_LEN])
{
	char buf[64];
	ssize_t n;

	if (comm[0])
		return;
	n = read_file(pid, tid, "comm", buf, sizeof(buf));
	if (n <= 0)
		return;
	buf[strcspn(buf, "\n")] = 0;
	snprintf(comm, E4D_COMM_LEN, "%.*s", E4D_COMM_LEN - 1, buf);
}
