/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A thread that dies leaves no slot behind, whatever was missed of it. */
#ifndef E4D_EXIT_BPF_H
#define E4D_EXIT_BPF_H

#include "core.bpf.h"

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(tp_process_exit)
{
	__u64 tkey = thread_key();
	struct e4d_slot *t = slot_find(tkey);

	if (t)
		close_open(t, tkey);
	return 0;
}

#endif
