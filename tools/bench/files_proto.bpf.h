/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Prototype of the per-file sums: a bounded table without locks, hash map or
 * allocation. A file is dev << 32 | ino (both are 32 bits in ext4), so that one
 * compare-and-swap claims a place. Eight keys are one cache line, a file may lie
 * in two such lines; what finds no place is counted in the CPU's `other` row.
 *
 * Only the kernel side claims, only user space frees. It may see a file twice (two
 * CPUs claimed at the same time, or a place before it was freed): it adds up. To free: key
 * |= FILE_LEAVING (no more updates find it), a refresh later the last sums are
 * read and zeroed, then key = 0. The refresh between is what lets a program end
 * that had found the key just before.
 */
#ifndef E4D_FILES_PROTO_BPF_H
#define E4D_FILES_PROTO_BPF_H

#define FILE_MAX     8192 /* power of two; default of max_entries, times FILE_WAYS */
#define FILE_WAYS    8
#define FILE_BUCKETS (FILE_MAX / FILE_WAYS)
#define FILE_LEAVING (1ULL << 63) /* dev_t has 12 + 20 bits, no device major >= 2048 */

enum file_what {
	FILE_EXTEND = 1,
	FILE_SHORT = 2,
	FILE_ERROR = 4,
};

/* Three cache lines; a plain write changes two words. */
struct file_stat {
	__u64 submitted; /* bytes */
	__s64 unmapped;  /* submitted - mapped, bytes: 0 for most, then not touched */
	__u32 extending, shorts, errors;
	__s32 in_flight; /* begun - done; a place that was claimed in between: negative */
	__u32 last_pid;
	__u32 spare[7];
	__u32 latency[32]; /* log2 of ns; their sum is the number of writes */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct file_stat) == 192, "three cache lines");

struct file_bucket {
	__u64 key[FILE_WAYS];
} __attribute__((aligned(64)));

/* User space sets max_entries of both, and file_buckets: a power of two. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FILE_BUCKETS);
	__type(key, __u32);
	__type(value, struct file_bucket);
} file_keys SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FILE_MAX);
	__type(key, __u32);
	__type(value, struct file_stat);
} file_stats SEC(".maps");

/* One a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct file_stat);
} file_other SEC(".maps");

const volatile __u32 file_buckets = FILE_BUCKETS;

static __always_inline __u64 file_key(__u32 dev, __u64 ino)
{
	return (__u64)dev << 32 | (__u32)ino;
}

static __always_inline __u32 file_log2(__u64 ns)
{
	__u32 v = ns >> 32 ? ~0u : (__u32)ns, r, s;

	r = (v > 0xffff) << 4;
	v >>= r;
	s = (v > 0xff) << 3;
	v >>= s;
	r |= s;
	s = (v > 0xf) << 2;
	v >>= s;
	r |= s;
	s = (v > 3) << 1;
	v >>= s;
	return r | s | v >> 1;
}

/* The place of a file in one bucket, or -1: nothing free either. */
static __always_inline int file_way(struct file_bucket *b, __u64 key)
{
	for (int i = 0; i < FILE_WAYS; i++) {
		__u64 at = b->key[i];

		if (!at)
			at = __sync_val_compare_and_swap(&b->key[i], 0, key) ?: key;
		if (at == key)
			return i;
	}
	return -1;
}

static __always_inline struct file_stat *file_find(__u64 key)
{
	__u32 at = (key * 0x9e3779b97f4a7c15ULL) >> 40, n, i;
	struct file_bucket *b;
	int way;

	for (int half = 0; half < 2; half++) {
		n = (at ^ half) & (file_buckets - 1);
		b = bpf_map_lookup_elem(&file_keys, &n);
		if (!b)
			break;
		way = file_way(b, key);
		if (way >= 0) {
			i = n * FILE_WAYS + way;
			return bpf_map_lookup_elem(&file_stats, &i);
		}
	}
	n = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&file_other, &n);
}

static __always_inline void file_update(struct file_stat *f, __u32 submitted, __u32 mapped,
                                        __u32 what, __u64 latency_ns, __u32 pid)
{
	__sync_fetch_and_add(&f->submitted, submitted);
	__sync_fetch_and_add(&f->latency[file_log2(latency_ns) & 31], 1);
	if (submitted != mapped)
		__sync_fetch_and_add(&f->unmapped, (__s64)submitted - mapped);
	if (what & FILE_EXTEND)
		__sync_fetch_and_add(&f->extending, 1);
	if (what & FILE_SHORT)
		__sync_fetch_and_add(&f->shorts, 1);
	if (what & FILE_ERROR)
		__sync_fetch_and_add(&f->errors, 1);
	if (f->last_pid != pid)
		f->last_pid = pid;
}

/* A write is over. */
static __always_inline void file_add(__u64 key, __u32 submitted, __u32 mapped, __u32 what,
                                     __u64 latency_ns, __u32 pid)
{
	struct file_stat *f = file_find(key);

	if (f)
		file_update(f, submitted, mapped, what, latency_ns, pid);
}

/* A write begins (n = 1) or ends (-1): dear, see the report; only where it is wanted. */
static __always_inline void file_flight(__u64 key, int n)
{
	struct file_stat *f = file_find(key);

	if (f)
		__sync_fetch_and_add(&f->in_flight, n);
}

#endif
