/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wrap/child.h"

#define KNOWN_NS 1000000000ULL
#define DEEPEST  64 /* more generations than this are not followed */

/* 0: it has none, or has gone. */
static uint32_t parent_of(uint32_t pid)
{
	char path[32], stat[512];
	const char *after;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	stat[n] = '\0';
	after = strrchr(stat, ')'); /* the name may hold anything, parentheses too */
	return after && strlen(after) > 4 ? (uint32_t)strtoul(after + 4, NULL, 10) : 0;
}

/* Records have pids of the first namespace; in another, /proc has other ones. */
static bool first_namespace(void)
{
	static const char first[] = "pid:[4026531836]"; /* PROC_PID_INIT_INO */
	char ns[64];
	ssize_t n = readlink("/proc/self/ns/pid", ns, sizeof(ns));

	return n == (ssize_t)strlen(first) && !memcmp(ns, first, (size_t)n);
}

/*
 * Orphans become our children (PR_SET_CHILD_SUBREAPER), so the way up leads to us, or
 * to init or a kernel thread. An ancestor that ends meanwhile breaks it.
 */
static enum e4d_kin ask(uint32_t pid)
{
	uint32_t self = (uint32_t)getpid();

	if (!first_namespace())
		return E4D_KIN_GONE;
	if (pid == 1)
		return E4D_KIN_NO;
	for (int i = 0; i < DEEPEST; i++) {
		uint32_t up = parent_of(pid);

		if (up == self)
			return E4D_KIN_YES;
		if (!up)
			return pid == 2 ? E4D_KIN_NO : E4D_KIN_GONE; /* kthreadd has none */
		if (up == 1 || up == 2)
			return E4D_KIN_NO;
		pid = up;
	}
	return E4D_KIN_GONE;
}

enum e4d_kin e4d_family_of(struct e4d_family *f, uint32_t pid, uint64_t now_ns)
{
	size_t i = pid % E4D_KIN_CACHE;

	if (f->cache[i].pid != pid || f->cache[i].until_ns <= now_ns) {
		f->cache[i].pid = pid;
		f->cache[i].kin = ask(pid);
		f->cache[i].until_ns = now_ns + KNOWN_NS;
	}
	return f->cache[i].kin;
}
