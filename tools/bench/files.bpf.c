// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * N updates of per-file sums from synthetic ids, for each design. `nothing` is
 * the loop with the ids and without the update: what is subtracted.
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

#define MAP(name, kind)                                                                            \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, 1);                                                            \
		__type(key, __u64);                                                                \
		__type(value, struct file_stat);                                                   \
	} name SEC(".maps")

MAP(hash, BPF_MAP_TYPE_HASH);
MAP(percpu, 5 /* BPF_MAP_TYPE_PERCPU_HASH */);
MAP(lru, 9 /* BPF_MAP_TYPE_LRU_HASH */);
MAP(behind, BPF_MAP_TYPE_HASH);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FILE_IDS);
	__type(key, __u32);
	__type(value, __u32);
} ids SEC(".maps");

/* cache: 64 places a CPU, in front of `behind` */
struct cached {
	__u64 key, busy;
	struct file_stat sum;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct cached);
} cache SEC(".maps");

static const struct file_stat none = {};

static __always_inline __u64 next_id(__u32 i)
{
	__u32 *id;

	i &= FILE_IDS - 1;
	id = bpf_map_lookup_elem(&ids, &i);
	return id ? file_key(0x0fe00000, *id) : 0;
}

static __always_inline struct file_stat *in_map(void *map, __u64 key)
{
	struct file_stat *f = bpf_map_lookup_elem(map, &key);
	__u32 cpu;

	if (f)
		return f;
	if (!bpf_map_update_elem(map, &key, &none, BPF_NOEXIST)) {
		f = bpf_map_lookup_elem(map, &key);
		if (f)
			return f;
	}
	cpu = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&file_other, &cpu);
}

static __always_inline void flush(struct cached *c)
{
	struct file_stat *f = in_map(&behind, c->key);

	if (!f)
		return;
	__sync_fetch_and_add(&f->submitted, c->sum.submitted);
	if (c->sum.unmapped)
		__sync_fetch_and_add(&f->unmapped, c->sum.unmapped);
	if (c->sum.extending)
		__sync_fetch_and_add(&f->extending, c->sum.extending);
	f->last_pid = c->sum.last_pid;
	for (int i = 0; i < 32; i++)
		if (c->sum.latency[i])
			__sync_fetch_and_add(&f->latency[i], c->sum.latency[i]);
	__builtin_memset(&c->sum, 0, sizeof(c->sum));
}

static __always_inline void cache_add(__u64 key, __u32 bytes, __u64 ns)
{
	__u32 at = ((key * 0x9e3779b97f4a7c15ULL) >> 58) + (bpf_get_smp_processor_id() << 6);
	struct cached *c = bpf_map_lookup_elem(&cache, &at);
	struct file_stat *f;

	if (!c || __sync_val_compare_and_swap(&c->busy, 0, 1)) { /* preempted in it */
		f = in_map(&behind, key);
		if (f)
			file_update(f, bytes, bytes, 0, ns, 1);
		return;
	}
	if (c->key != key) {
		if (c->key)
			flush(c);
		c->key = key;
	}
	c->sum.submitted += bytes;
	c->sum.latency[file_log2(ns) & 31]++;
	c->sum.last_pid = 1;
	c->busy = 0;
}

#define UPDATES(name, body)                                                                        \
	static long name##_step(__u32 i, struct files_arg *a)                                      \
	{                                                                                          \
		__u64 key = next_id(a->first + i), ns = 3000 + (i & 4095);                         \
		struct file_stat *f;                                                               \
                                                                                                   \
		(void)f;                                                                           \
		body;                                                                              \
		return 0;                                                                          \
	}                                                                                          \
	SEC("syscall") int name##_run(struct files_arg *ctx)                                       \
	{                                                                                          \
		struct files_arg a = *ctx;                                                         \
                                                                                                   \
		return bpf_loop(a.n, name##_step, &a, 0) < 0;                                      \
	}

#define IN_MAP(map)                                                                                \
	f = in_map(&map, key);                                                                     \
	if (f)                                                                                     \
	file_update(f, 4096, 4096, 0, ns, 1)

UPDATES(nothing, __asm__ volatile("" ::"r"(key), "r"(ns)))
UPDATES(hash, IN_MAP(hash))
UPDATES(percpu, IN_MAP(percpu))
UPDATES(lru, IN_MAP(lru))
UPDATES(cache, cache_add(key, 4096, ns))
UPDATES(table, file_add(key, 4096, 4096, 0, ns, 1))
UPDATES(flight, file_flight(key, 1); file_add(key, 4096, 4096, 0, ns, 1); file_flight(key, -1))
