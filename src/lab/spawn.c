/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/spawn.h"

#define NOT_STARTED 127 /* what a shell says, too */

/* Before PATH: busybox has a mke2fs of its own. */
static const char *const dirs[] = {"/usr/sbin", "/sbin", "/usr/local/sbin"};

static void child(char *const argv[], int out, pid_t parent)
{
	char path[256];
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* interrupting the lab is the lab's to answer */
	signal(SIGINT, SIG_IGN);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	setenv("LC_ALL", "C", 1);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], argv[0]);
		execv(path, argv);
	}
	execvp(argv[0], argv);
	_exit(NOT_STARTED);
}

/* Reads to the end, and keeps what there is room for. */
static void collect(int fd, char *out, size_t len)
{
	char buf[4096];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if ((size_t)n > len - 1 - at)
			n = (ssize_t)(len - 1 - at);
		memcpy(out + at, buf, (size_t)n);
		at += (size_t)n;
	}
	out[at] = 0;
}

int lab_spawn(char *const argv[], char *out, size_t len)
{
	pid_t self = getpid(), pid;
	int fds[2], status;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		child(argv, fds[1], self);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return -EAGAIN;
	}
	collect(fds[0], out, len);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status))
		return -EINTR;
	return WEXITSTATUS(status) == NOT_STARTED ? -ENOENT : WEXITSTATUS(status);
}
