/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>
#include "session/misses.h"

/*
 * bpf_link_info of a kprobe perf event: `missed` came with 6.7 (commit
 * 3acf8ace6823), after the headers of Debian 12; its place is ABI.
 */
#define INFO_PERF_TYPE       16
#define INFO_KPROBE_MISSED   48
#define PERF_EVENT_KPROBE    3
#define PERF_EVENT_KRETPROBE 4

static uint64_t link_missed(int fd)
{
	unsigned char info[256] = {0};
	__u32 len = sizeof(info), type;
	__u64 missed;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, info, &len))
		return 0;
	memcpy(&type, info + INFO_PERF_TYPE, sizeof(type));
	memcpy(&missed, info + INFO_KPROBE_MISSED, sizeof(missed));
	if (len < INFO_KPROBE_MISSED + sizeof(missed) ||
	    (type != PERF_EVENT_KPROBE && type != PERF_EVENT_KRETPROBE))
		return 0;
	return missed;
}

void e4d_misses_read(const struct e4d_attached *a, struct e4d_misses *m)
{
	memset(m->sum, 0, sizeof(m->sum));
	for (int i = 0; i < a->n; i++) {
		struct bpf_prog_info info = {0};
		__u32 len = sizeof(info);

		if (!bpf_obj_get_info_by_fd(a->prog_fds[i], &info, &len))
			m->prog[i] = info.recursion_misses;
		/* a link that is gone keeps its last count */
		if (a->links[i] &&
		    (a->hooks[i]->kind == E4D_KPROBE || a->hooks[i]->kind == E4D_KRETPROBE))
			m->link[i] = link_missed(bpf_link__fd(a->links[i]));
		m->sum[e4d_hook_miss(a->hooks[i])] += m->prog[i] + m->link[i];
	}
}
