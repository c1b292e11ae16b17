// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Puts N records into the tracer's ring, brief ones, as most are. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "config.h"
#include "plain.h"
#include "loss_arg.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* the session's ring takes its place */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, E4D_RING_BYTES);
} ring SEC(".maps");

struct e4d_brief brief = {};
__u64 produced = 0, ring_full = 0;

static long produce_one(__u32 i, void *ctx)
{
	struct e4d_brief *r = &brief;

	r->ts_ns = bpf_ktime_get_boot_ns();
	r->seq = ++produced;
	if (bpf_ringbuf_output(&ring, r, sizeof(*r), BPF_RB_NO_WAKEUP))
		ring_full++;
	return 0;
}

SEC("syscall") int produce(struct loss_arg *arg)
{
	return bpf_loop(arg->n, produce_one, NULL, 0) < 0;
}
