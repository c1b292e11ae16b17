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

/* A file descriptor of the newest map of this name, or -1. */
static int find_map(const char *name, struct bpf_map_info *info)
{
	int found = -1;
	__u32 id = 0;

	for (;;) {
		union bpf_attr attr = {.start_id = id};
		struct bpf_map_info one = {0};
		int fd;

		if (sys_bpf(BPF_MAP_GET_NEXT_ID, &attr))
			return found;
		id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.map_id = id;
		fd = sys_bpf(BPF_MAP_GET_FD_BY_ID, &attr);
		if (fd < 0)
			continue;
		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = fd;
		attr.info.info_len = sizeof(one);
		attr.info.info = (uintptr_t)&one;
		if (sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) || strcmp(one.name, name) ||
		    one.value_size != sizeof(struct e4d_slot)) {
			close(fd);
			continue;
		}
		if (found >= 0)
			close(found);
		found = fd;
		*info = one;
	}
}

/* Events that a program did not see, for it or another was running on that CPU; from 5.12. */
void hold_misses(void)
{
	uint64_t sum = 0;
	__u32 id = 0;

	for (;;) {
		union bpf_attr attr = {.start_id = id};
		struct bpf_prog_info info = {0};
		int fd;

		if (sys_bpf(BPF_PROG_GET_NEXT_ID, &attr))
			break;
		id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.prog_id = id;
		fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		if (fd < 0)
			continue;
		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = fd;
		attr.info.info_len = sizeof(info);
		attr.info.info = (uintptr_t)&info;
		if (!sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
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
	struct bpf_map_info info = {0};
	int fd = find_map("inflight", &info);
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
