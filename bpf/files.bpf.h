/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sums for each file, only with cfg.files: see files.h. */
#ifndef E4D_FILES_BPF_H
#define E4D_FILES_BPF_H

#include "state.bpf.h"
#include "files.h"

/* User space sets max_entries: one each where no sums are wanted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, E4D_FILE_BUCKETS);
	__type(key, __u32);
	__type(value, struct e4d_file_bucket);
} file_keys SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, E4D_FILES);
	__type(key, __u32);
	__type(value, struct e4d_file);
} file_sums SEC(".maps");

/* One for each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct e4d_file);
} file_other SEC(".maps");

/* The place of a file in one bucket, or -1: none is free either. */
static __always_inline int file_way(struct e4d_file_bucket *b, __u64 key)
{
	for (int i = 0; i < E4D_FILE_WAYS; i++) {
		__u64 at = b->key[i];

#ifndef E4D_NO_CMPXCHG
		if (!at)
			at = __sync_val_compare_and_swap(&b->key[i], 0, key) ?: key;
#else
		/* two that claim at once: the later one wins, the sums may mix */
		if (!at)
			at = b->key[i] = key;
#endif
		if (at == key)
			return i;
	}
	return -1;
}

static __always_inline struct e4d_file *file_find(__u64 key)
{
	__u32 at = (key * 0x9e3779b97f4a7c15ULL) >> 40, n, i;
	struct e4d_file_bucket *b;
	int way;

	for (int half = 0; half < 2; half++) {
		n = (at ^ half) & (E4D_FILE_BUCKETS - 1);
		b = bpf_map_lookup_elem(&file_keys, &n);
		if (!b)
			break;
		way = file_way(b, key);
		if (way >= 0) {
			i = n * E4D_FILE_WAYS + way;
			return bpf_map_lookup_elem(&file_sums, &i);
		}
	}
	n = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&file_other, &n);
}

/* A write that was not followed is over, at `now` ns; own: on its own thread. */
static __always_inline void file_add(__u64 key, __u32 submitted, __u32 what, __u64 ts, __u64 now,
                                     bool own)
{
	struct e4d_file *f = file_find(key);

	if (!f)
		return;
	__sync_fetch_and_add(&f->submitted, submitted);
	__sync_fetch_and_add(&f->latency[e4d_log2(now - ts) & (E4D_LATENCIES - 1)], 1);
	if (what & E4D_FILE_SHORT)
		__sync_fetch_and_add(&f->shorts, 1);
	if (what & E4D_FILE_ERROR)
		__sync_fetch_and_add(&f->errors, 1);
	if (own && (!f->last_pid || !(now & 0x3f00)))
		f->last_pid = bpf_get_current_pid_tgid() >> 32;
}

/* A write that was followed is over. */
static __always_inline void file_add_record(const struct e4d_record *r)
{
	struct e4d_file *f = file_find(e4d_file_key(r->dev, r->ino));

	if (!f)
		return;
	__sync_fetch_and_add(&f->submitted, r->submitted);
	__sync_fetch_and_add(&f->unmapped, (__s64)r->submitted - r->mapped);
	__sync_fetch_and_add(&f->latency[e4d_log2(r->latency_ns) & (E4D_LATENCIES - 1)], 1);
	if (r->flags & E4D_F_EXTEND)
		__sync_fetch_and_add(&f->extending, 1);
	if ((r->seen & E4D_SEEN_RET) && r->ret < 0)
		__sync_fetch_and_add(&f->errors, 1);
	else if ((r->seen & E4D_SEEN_RET) && (__u32)r->ret < r->submitted)
		__sync_fetch_and_add(&f->shorts, 1);
	if (e4d_is_finding(r, 0))
		__sync_fetch_and_add(&f->findings, 1);
	f->last_pid = r->pid;
}

#endif
