/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wrap/child.h"

const int e4d_child_signals[2] = {SIGCHLD, SIGQUIT};

void e4d_child_init(struct e4d_child *c)
{
	memset(c, 0, sizeof(*c));
	sigprocmask(SIG_SETMASK, NULL, &c->mask);
	sigaction(SIGPIPE, NULL, &c->sigpipe);
}

static int runnable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return access(path, X_OK) ? -errno : 0;
}

int e4d_child_find(const char *name)
{
	const char *dirs = getenv("PATH"), *next;
	int err = -ENOENT, one;
	char path[4096];

	if (!name[0] || strchr(name, '/'))
		return runnable(name);
	for (dirs = dirs ? dirs : "/bin:/usr/bin"; dirs; dirs = next) {
		size_t len = strcspn(dirs, ":");

		next = dirs[len] ? dirs + len + 1 : NULL;
		if ((size_t)snprintf(path, sizeof(path), "%.*s%s%s", (int)len, dirs, len ? "/" : "",
		                     name) >= sizeof(path))
			continue;
		one = runnable(path);
		if (!one)
			return 0;
		err = one == -EACCES ? one : err;
	}
	return err;
}

/* In the child; does not return. The parent reads errno where exec fails. */
static void become(const struct e4d_child *c, char **argv, int tell)
{
	int err;

	sigaction(SIGPIPE, &c->sigpipe, NULL);
	sigprocmask(SIG_SETMASK, &c->mask, NULL);
	execvp(argv[0], argv);
	err = errno;
	while (write(tell, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	_exit(127);
}

int e4d_child_start(struct e4d_child *c, char **argv)
{
	int tell[2], err = 0;
	ssize_t n;

	if (pipe2(tell, O_CLOEXEC))
		return -errno;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	c->pid = fork();
	if (!c->pid)
		become(c, argv, tell[1]);
	if (c->pid < 0)
		err = errno;
	close(tell[1]);
	do
		n = read(tell[0], &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close(tell[0]);
	if (err && c->pid > 0)
		waitpid(c->pid, NULL, 0);
	return -err;
}

bool e4d_child_reap(struct e4d_child *c)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != c->pid)
			continue;
		c->ended = true;
		c->status = status;
	}
	return pid < 0 && errno == ECHILD;
}

void e4d_child_signal(const struct e4d_child *c, const struct signalfd_siginfo *si)
{
	if (!c->ended && si->ssi_code != SI_KERNEL)
		kill(c->pid, (int)si->ssi_signo);
}
