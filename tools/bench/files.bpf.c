// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * N updates of per-file sums from synthetic inodes: of the tracer's table, each
 * with a look-up, and of a hash map that has room for all files. `nothing` is the
 * loop with the ids and without the update: what is subtracted.
 */
#define E4D_TIER E4D_TIER_TRACEPOINT
#include "sums.bpf.h"
#include "files_arg.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define DEV 0x0fe00000

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct e4d_sums);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FILE_IDS);
	__type(key, __u32);
	__type(value, __u32);
} ids SEC(".maps");

static const struct e4d_sums none = {};

/* As k_id() of an inode: they lie 1 KiB apart. */
static __always_inline __u64 next_id(__u32 i)
{
	__u32 *id;

	i &= FILE_IDS - 1;
	id = bpf_map_lookup_elem(&ids, &i);
	return id ? (__u64)*id << 10 | 1ULL << 62 : 0;
}

static __always_inline void hash_add(__u64 id, __u64 ns)
{
	struct e4d_sums *f = bpf_map_lookup_elem(&hash, &id);

	if (!f) {
		bpf_map_update_elem(&hash, &id, &none, BPF_NOEXIST);
		f = bpf_map_lookup_elem(&hash, &id);
	}
	if (f)
		sums_add(f, 4096, 4096, ns);
}

static __always_inline void table_add(__u64 id, __u64 ns)
{
	__u32 place = 0;

	sums_add(file_slow(id, id >> 10, DEV, 1, &place), 4096, 4096, ns);
}

#define UPDATES(name, body)                                                                        \
	static long name##_step(__u32 i, struct files_arg *a)                                      \
	{                                                                                          \
		__u64 id = next_id(a->first + i), ns = 3000 + (i & 4095);                          \
                                                                                                   \
		body;                                                                              \
		return 0;                                                                          \
	}                                                                                          \
	SEC("syscall") int name##_run(struct files_arg *ctx)                                       \
	{                                                                                          \
		struct files_arg a = *ctx;                                                         \
                                                                                                   \
		return bpf_loop(a.n, name##_step, &a, 0) < 0;                                      \
	}

UPDATES(nothing, __asm__ volatile("" ::"r"(id), "r"(ns)))
UPDATES(hash, hash_add(id, ns))
UPDATES(table, table_add(id, ns))
