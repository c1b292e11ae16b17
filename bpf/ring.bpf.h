/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The ring of events: where it is. ring_put.h writes to it. */
#ifndef E4D_RING_BPF_H
#define E4D_RING_BPF_H

#include "state.bpf.h"

#ifdef E4D_NO_CMPXCHG
/* 5.10 has neither fetch-and-add nor compare-and-swap: it makes records of 176 bytes only. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, E4D_RING_BYTES);
} ring SEC(".maps");
#else
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* user space sets it, and cfg */
	__type(key, __u32);
	__type(value, struct e4d_flight_page);
} ring SEC(".maps");

static __always_inline __u32 ring_row(__u32 cpu)
{
	return cpu & (cfg.ring_rows - 1) & (E4D_ROWS - 1);
}

static __always_inline struct e4d_flight_page *ring_page(__u32 row, __u64 number)
{
	__u32 at = row * cfg.ring_pages + ((__u32)number & (cfg.ring_pages - 1));

	return bpf_map_lookup_elem(&ring, &at);
}

#include "ring_put.h"
#endif

#endif
