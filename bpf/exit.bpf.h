/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A thread that dies leaves no slot behind, whatever was missed of it, and a process no place. */
#ifndef E4D_EXIT_BPF_H
#define E4D_EXIT_BPF_H

#include "core.bpf.h"

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(tp_process_exit)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct e4d_slot *t = slot_find(key_of(id));

	if (t)
		close_open(t, key_of(id));
	/* by its leader; what other threads may still write claims a place anew */
	if (cfg.files && id >> 32 == (__u32)id)
		sums_leave(shared.process_key, E4D_PROCESSES, id >> 32 << 1);
	return 0;
}

#endif
