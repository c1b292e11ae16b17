/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "probe/kretprobe.h"

/* KRETPROBE_MAXACTIVE_MAX is 4096; an instance takes about 100 bytes. */
#define MAXACTIVE 1024
#define GROUP     "ext4diotop"

/* The places where tracefs is mounted; we never mount it. */
static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

/* O_APPEND: opening kprobe_events otherwise removes everybody's events. */
static int write_event(const char *root, const char *line)
{
	char path[128];
	ssize_t n;
	int fd, err;

	snprintf(path, sizeof(path), "%s/kprobe_events", root);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, line, strlen(line));
	err = n < 0 ? -errno : 0;
	close(fd);
	return err;
}

static const char *tracefs(void)
{
	char path[128];

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		snprintf(path, sizeof(path), "%s/kprobe_events", roots[i]);
		if (!access(path, W_OK))
			return roots[i];
	}
	return NULL;
}

/*
 * Removes the events of this process, or those that processes left which were
 * killed. One that is in use stays: the kernel answers EBUSY.
 */
static void remove_events(const char *root, bool own)
{
	char path[128], line[512], cmd[160], name[64];
	pid_t pid;
	FILE *f;

	snprintf(path, sizeof(path), "%s/kprobe_events", root);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, ":" GROUP "/");

		if (!at || sscanf(at, ":" GROUP "/%63s", name) != 1 ||
		    sscanf(name, "p%d_", &pid) != 1)
			continue;
		if (own ? pid != getpid() : !kill(pid, 0) || errno != ESRCH)
			continue;
		snprintf(cmd, sizeof(cmd), "-:" GROUP "/%s\n", name);
		write_event(root, cmd);
	}
	if (f)
		fclose(f);
}

/* The id of an event, or negative errno. */
static int event_id(const char *root, const char *name)
{
	char path[256], text[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/events/" GROUP "/%s/id", root, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atoi(text) : -EIO;
}

/* A perf event on a tracefs event. Returns its descriptor or negative errno. */
static int open_event(const char *root, const char *target)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr)};
	char name[64], line[256];
	int id, fd, err;

	snprintf(name, sizeof(name), "p%d_%.40s", getpid(), target);
	snprintf(line, sizeof(line), "r%d:" GROUP "/%s %s\n", MAXACTIVE, name, target);
	err = write_event(root, line);
	/* a trial attach left it a moment ago */
	if (err && err != -EEXIST)
		return err;
	id = event_id(root, name);
	if (id < 0)
		return id;
	attr.config = id;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct bpf_link *e4d_kretprobe_attach(struct bpf_program *prog, const char *target)
{
	static bool swept;
	const char *root = tracefs();
	struct bpf_link *link;
	int fd;

	if (root && !swept)
		remove_events(root, false);
	swept = true;
	fd = root ? open_event(root, target) : -ENOENT;
	if (fd >= 0) {
		link = bpf_program__attach_perf_event(prog, fd);
		if (!libbpf_get_error(link))
			return link;
		close(fd);
	}
	link = bpf_program__attach(prog);
	return libbpf_get_error(link) ? NULL : link;
}

void e4d_kretprobe_clean(void)
{
	const char *root = tracefs();

	if (root)
		remove_events(root, true);
}
