// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Puts N events into the tracer's ring, of writes inside EOF, as most are. */
#define E4D_TIER E4D_TIER_TRACEPOINT
#include "ring.bpf.h"
#include "loss_arg.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* the session's ring and its cursors take the place of ours */
struct e4d_ev_inside inside SEC(".data.loss") = {};
__u64 produced SEC(".data.loss") = 0, ring_full SEC(".data.loss") = 0;

static long produce_one(__u32 i, void *ctx)
{
	struct ring_at at;

	produced++;
	if (!ring_reserve(&at, ring_row(bpf_get_smp_processor_id()), 1)) {
		ring_full++;
		return 0;
	}
	*(struct e4d_ev_inside *)at.event = inside;
	at.event->timestamp = bpf_ktime_get_boot_ns();
	((struct e4d_ev_inside *)at.event)->seq_be = __builtin_bswap64(produced);
	ring_commit(&at, 1, E4D_EV_INSIDE);
	return 0;
}

SEC("syscall") int produce(struct loss_arg *arg)
{
	return bpf_loop(arg->n, produce_one, NULL, 0) < 0;
}
