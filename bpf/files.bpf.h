/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sums for each file, only with cfg.files: see files.h. */
#ifndef E4D_FILES_BPF_H
#define E4D_FILES_BPF_H

#include "state.bpf.h"

#define OTHER E4D_FILES /* no place: the CPU's `other` */

/* The place of an inode in one line of eight, or OTHER. */
static __always_inline __u32 file_way(__u32 line, __u64 id, bool claim)
{
	for (__u32 i = 0; i < E4D_FILE_WAYS; i++) {
		__u32 at = (line * E4D_FILE_WAYS + i) & (E4D_FILES - 1);
		__u64 key = shared.file_key[at];

		if (key == id)
			return at;
		if (key || !claim)
			continue;
#ifdef E4D_NO_CMPXCHG
		shared.file_key[at] = id; /* of two at once the later stays */
		return at;
#else
		key = __sync_val_compare_and_swap(&shared.file_key[at], 0, id);
		if (!key || key == id)
			return at;
#endif
	}
	return OTHER;
}

static __always_inline __u32 file_find(__u64 id, bool claim)
{
	__u32 line = (__u32)id * 0x9e3779b1u >> 22, at = file_way(line, id, claim);

	return at == OTHER ? file_way(line ^ 1, id, claim) : at;
}

/* The file's row, claimed where there is room. */
SLOW struct e4d_file *file_slow(__u64 id, __u64 ino, __u32 dev, __u32 gen, __u32 *place)
{
	__u32 at = file_find(id, true);
	struct e4d_file *f;

	if (at == OTHER)
		return &shared.file_other[bpf_get_smp_processor_id() & (E4D_ROWS - 1)];
	f = &shared.file[at & (E4D_FILES - 1)];
	if (!f->ino) {
		f->gen = gen;
		f->dev = dev;
		f->last_pid = bpf_get_current_pid_tgid() >> 32;
		f->ino = ino;
	} else if (f->ino != ino || f->gen != gen) {
		/* this write or the place is of an inode that lay at its address before */
		shared.file_key[at & (E4D_FILES - 1)] |= E4D_FILE_LEAVING;
		return &shared.file_other[bpf_get_smp_processor_id() & (E4D_ROWS - 1)];
	}
	*place = at;
	return f;
}

/* A write that was not followed is over; own: on its own thread. */
static __always_inline void file_add(struct e4d_file *f, __u32 submitted, __s64 ret, __u64 latency,
                                     bool own)
{
	__sync_fetch_and_add(&f->submitted, submitted);
	__sync_fetch_and_add(&f->latency[e4d_latency_row(latency) & (E4D_LATENCIES - 1)], 1);
	if (ret != submitted)
		__sync_fetch_and_add(ret < 0 ? &f->errors : &f->shorts, 1);
	if (!(latency & 63) && own)
		f->last_pid = bpf_get_current_pid_tgid() >> 32;
}

/* A write of which no more is seen than its begin (tracepoint tier before 6.6). */
static __always_inline void file_add_begin(__u64 id, __u64 ino, __u32 dev, __u32 gen,
                                           __u32 submitted)
{
	__u32 place = 0;
	struct e4d_file *f = file_slow(id, ino, dev, gen, &place);

	__sync_fetch_and_add(&f->submitted, submitted);
	__sync_fetch_and_add(&f->latency[0], 1);
	f->last_pid = bpf_get_current_pid_tgid() >> 32;
}

/* A write that was followed is over. */
static __always_inline void file_add_record(__u64 id, const struct e4d_record *r)
{
	__u32 place = 0;
	struct e4d_file *f = file_slow(id, r->ino, r->dev, r->gen, &place);

	__sync_fetch_and_add(&f->submitted, r->submitted);
	__sync_fetch_and_add(&f->unmapped, (__s64)r->submitted - r->mapped);
	__sync_fetch_and_add(&f->latency[e4d_latency_of(r)], 1);
	if (r->flags & E4D_F_EXTEND)
		__sync_fetch_and_add(&f->extending, 1);
	if (e4d_is_error(r))
		__sync_fetch_and_add(&f->errors, 1);
	else if (e4d_is_short(r))
		__sync_fetch_and_add(&f->shorts, 1);
	if (e4d_is_finding(r, 0))
		__sync_fetch_and_add(&f->findings, 1);
	f->last_pid = r->pid;
}

/* Another inode may come to lie at its address. */
SEC_EXT4_TP(ext4_evict_inode)
int BPF_PROG(tp_evict_inode, struct inode *inode)
{
	__u32 at = inode ? file_find(k_id(inode), false) : OTHER;

	if (at != OTHER)
		shared.file_key[at & (E4D_FILES - 1)] |= E4D_FILE_LEAVING;
	return 0;
}

#endif
