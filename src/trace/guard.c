/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/guard.h"
#include "trace/internal.h"

/* Where the packet at `at` ends; 0: there is no whole one. */
static off_t packet_end(int fd, off_t at, off_t size)
{
	struct e4d_packet head;
	uint64_t bytes;

	if (pread(fd, &head, sizeof(head), at) != sizeof(head) || head.magic != E4D_PACKET_MAGIC)
		return 0;
	bytes = head.packet_size / 8;
	if (!bytes || bytes > E4D_PACKET_MAX || bytes % E4D_PACKET_ALIGN ||
	    (off_t)bytes > size - at)
		return 0;
	return at + (off_t)bytes;
}

static void cut(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	off_t at = 0, end;
	struct stat st;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		while ((end = packet_end(fd, at, st.st_size)))
			at = end;
		if (at < st.st_size && ftruncate(fd, at))
			at = 0; /* the reader skips it */
	}
	close(fd);
}

void e4d_guard_mend(int dir)
{
	struct e4d_dump d = {.dir = dir};
	DIR *list = e4d_dump_list(&d);
	struct dirent *de;
	bool zst;

	while (list && (de = readdir(list))) {
		size_t len = strlen(de->d_name);

		zst = len > 4 && !strcmp(de->d_name + len - 4, ".zst");
		if (zst && *de->d_name == '.')
			unlinkat(dir, de->d_name, 0);
		else if (!zst &&
		         (!strncmp(de->d_name, "cpu", 3) || !strncmp(de->d_name, "session-", 8)))
			cut(dir, de->d_name);
	}
	if (list)
		closedir(list);
}

/* Waits for the end of who records; a byte says that all is well. */
static void guard(int dir, int pipe)
{
	sigset_t all;
	ssize_t n;
	char c;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "ext4diotop-dump");
	/* programs of the tracer stay attached as long as their descriptors are open */
	dup2(dir, 0);
	dup2(pipe, 1);
	close_range(2, ~0u, 0);
	do
		n = read(1, &c, 1);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		e4d_guard_mend(0);
	_exit(0);
}

int e4d_guard_start(struct e4d_guard *g, int dir)
{
	int fds[2], err;

	*g = (struct e4d_guard){.pipe = -1};
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	g->pid = fork();
	if (!g->pid) {
		close(fds[1]);
		guard(dir, fds[0]);
	}
	err = g->pid < 0 ? -errno : 0;
	close(fds[0]);
	if (err) {
		close(fds[1]);
		g->pid = 0;
		return err;
	}
	g->pipe = fds[1];
	return 0;
}

void e4d_guard_stop(struct e4d_guard *g)
{
	if (!g->pid)
		return;
	while (write(g->pipe, "", 1) < 0 && errno == EINTR)
		;
	close(g->pipe);
	waitpid(g->pid, NULL, 0);
	g->pid = 0;
}
