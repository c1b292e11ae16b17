/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What the tracer holds of the writes that are under way, read from its table
 * in the kernel: does it call them exposed at this moment?
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "hold.h"
#include "slot.h"

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* The next map or program after *id: its file descriptor, its info in *info; -1: no more. */
static int next_object(int next, int open, __u32 *id, void *info, __u32 info_len)
{
	for (;;) {
		union bpf_attr attr = {.start_id = *id};
		int fd;

		if (sys_bpf(next, &attr))
			return -1;
		*id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.map_id = *id; /* prog_id lies at the same place */
		fd = sys_bpf(open, &attr);
		if (fd < 0)
			continue;
		memset(info, 0, info_len);
		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = (__u32)fd;
		attr.info.info_len = info_len;
		attr.info.info = (uintptr_t)info;
		if (!sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
			return fd;
		close(fd);
	}
}

/* A file descriptor of the newest map of this name, or -1. */
static int find_map(const char *name)
{
	struct bpf_map_info info;
	int found = -1, fd;
	__u32 id = 0;

	while ((fd = next_object(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID, &id, &info,
	                         sizeof(info))) >= 0) {
		if (strcmp(info.name, name) || info.value_size != sizeof(struct e4d_slot)) {
			close(fd);
			continue;
		}
		if (found >= 0)
			close(found);
		found = fd;
	}
	return found;
}

/* Events that a program did not see, for it or another was running on that CPU; from 5.12. */
void hold_misses(void)
{
	struct bpf_prog_info info;
	uint64_t sum = 0;
	__u32 id = 0;
	int fd;

	while ((fd = next_object(BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID, &id, &info,
	                         sizeof(info))) >= 0) {
		sum += info.recursion_misses;
		close(fd);
	}
	dprintf(STDOUT_FILENO, "{\"crash\":\"misses\",\"count\":%llu}\n", (unsigned long long)sum);
}

static void print_slot(const struct e4d_slot *s)
{
	uint64_t ns = s->rec.exposed_ns;

	if (s->exposed_since)
		ns += hold_now() - s->exposed_since;
	dprintf(STDOUT_FILENO,
	        "{\"crash\":\"live\",\"dev\":\"%u:%u\",\"ino\":%llu,\"phase\":%u,\"exposed\":%s,"
	        "\"exposed_ns\":%llu,\"live_end\":%llu}\n",
	        s->rec.dev >> 20, s->rec.dev & 0xfffff, (unsigned long long)s->rec.ino, s->phase,
	        s->exposed_since ? "true" : "false", (unsigned long long)ns,
	        (unsigned long long)s->live);
}

int hold_live(void)
{
	int fd = find_map("inflight");
	uint64_t key = 0, next = 0;
	struct e4d_slot slot;
	bool first = true;

	hold_misses();
	if (fd < 0) {
		fprintf(stderr,
		        "holdwrite: no tracer is running (no map 'inflight' of %zu bytes)\n",
		        sizeof(slot));
		return HOLD_NOTHING;
	}
	for (;;) {
		union bpf_attr attr = {.map_fd = fd};

		attr.key = first ? 0 : (uintptr_t)&key;
		attr.next_key = (uintptr_t)&next;
		if (sys_bpf(BPF_MAP_GET_NEXT_KEY, &attr))
			break;
		first = false;
		key = next;
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = fd;
		attr.key = (uintptr_t)&key;
		attr.value = (uintptr_t)&slot;
		/* a thread's slot that only links to its iocb's is no write */
		if (!sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr) && slot.key && !slot.link)
			print_slot(&slot);
	}
	close(fd);
	return HOLD_OK;
}
