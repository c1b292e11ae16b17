// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * N updates of per-file sums from synthetic ids: of the tracer's table, and of a
 * hash map that has room for all files. `nothing` is the loop with the ids and
 * without the update: what is subtracted.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#if __has_include("files.bpf.h")
#include "files.bpf.h"
#else
#include "files_proto.bpf.h"
#endif
#include "files_arg.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct file_stat);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FILE_IDS);
	__type(key, __u32);
	__type(value, __u32);
} ids SEC(".maps");

static const struct file_stat none = {};

static __always_inline __u64 next_id(__u32 i)
{
	__u32 *id;

	i &= FILE_IDS - 1;
	id = bpf_map_lookup_elem(&ids, &i);
	return id ? file_key(0x0fe00000, *id) : 0;
}

static __always_inline struct file_stat *in_hash(__u64 key)
{
	struct file_stat *f = bpf_map_lookup_elem(&hash, &key);

	if (f)
		return f;
	bpf_map_update_elem(&hash, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hash, &key);
}

static __always_inline void hash_add(__u64 key, __u64 ns)
{
	struct file_stat *f = in_hash(key);

	if (f)
		file_update(f, 4096, 4096, 0, ns, 1);
}

#define UPDATES(name, body)                                                                        \
	static long name##_step(__u32 i, struct files_arg *a)                                      \
	{                                                                                          \
		__u64 key = next_id(a->first + i), ns = 3000 + (i & 4095);                         \
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

UPDATES(nothing, __asm__ volatile("" ::"r"(key), "r"(ns)))
UPDATES(hash, hash_add(key, ns))
UPDATES(table, file_add(key, 4096, 4096, 0, ns, 1))
