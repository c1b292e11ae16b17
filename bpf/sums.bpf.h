/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sums for each file, only with cfg.files, and for each process: see sums.h. */
#ifndef E4D_SUMS_BPF_H
#define E4D_SUMS_BPF_H

#include "state.bpf.h"

/* The place of a key in one line of eight; `places`: none. */
static __always_inline __u32 sums_way(__u64 *keys, __u32 places, __u32 line, __u64 id, bool claim)
{
	for (__u32 i = 0; i < E4D_WAYS; i++) {
		__u32 at = (line * E4D_WAYS + i) & (places - 1);
		__u64 key = keys[at];

		if (key == id)
			return at;
		if (key || !claim)
			continue;
#ifdef E4D_NO_CMPXCHG
		keys[at] = id; /* of two at once the later stays */
		return at;
#else
		key = __sync_val_compare_and_swap(&keys[at], 0, id);
		if (!key || key == id)
			return at;
#endif
	}
	return places;
}

static __always_inline __u32 sums_find(__u64 *keys, __u32 places, __u64 id, bool claim)
{
	__u32 line = e4d_line(id, places), at = sums_way(keys, places, line, id, claim);

	return at == places ? sums_way(keys, places, line ^ 1, id, claim) : at;
}

/* What it is the place of is gone: it takes no more, and user space frees it. */
static __always_inline void sums_leave(__u64 *keys, __u32 places, __u64 id)
{
	__u32 at = sums_find(keys, places, id, false);

	if (at != places)
		keys[at & (places - 1)] |= E4D_LEAVING;
}

/* The file's row, claimed where there is room. */
SLOW struct e4d_sums *file_slow(__u64 id, __u64 ino, __u32 dev, __u32 gen, __u32 *place)
{
	__u32 at = sums_find(shared.file_key, E4D_FILES, id, true);
	struct e4d_sums *f;

	if (at == E4D_FILES)
		return &shared.file_other[bpf_get_smp_processor_id() & (E4D_ROWS - 1)];
	f = &shared.file[at & (E4D_FILES - 1)];
	if (!f->who) {
		f->gen = gen;
		f->dev = dev;
		f->last_pid = bpf_get_current_pid_tgid() >> 32;
		barrier(); /* with `who` another CPU sees the rest */
		f->who = ino;
	} else if (f->who != ino || f->gen != gen) {
		/* this write or the place is of an inode that lay at its address before */
		shared.file_key[at & (E4D_FILES - 1)] |= E4D_LEAVING;
		return &shared.file_other[bpf_get_smp_processor_id() & (E4D_ROWS - 1)];
	}
	*place = at;
	return f;
}

/* A process's row, likewise; a completion elsewhere leaves its name to user space. */
SLOW struct e4d_sums *process_slow(__u32 pid, __u32 *place)
{
	__u32 at = sums_find(shared.process_key, E4D_PROCESSES, (__u64)pid << 1, true);
	struct e4d_sums *p;

	if (at == E4D_PROCESSES)
		return &shared.process_other[bpf_get_smp_processor_id() & (E4D_ROWS - 1)];
	p = &shared.process[at & (E4D_PROCESSES - 1)];
	if (!p->who) {
		if (bpf_get_current_pid_tgid() >> 32 == pid)
			k_comm(p->comm);
		p->who = pid;
	}
	*place = at;
	return p;
}

/* A write that was not followed is over. */
static __always_inline void sums_add(struct e4d_sums *s, __u32 submitted, __s64 ret, __u64 latency)
{
	__sync_fetch_and_add(&s->submitted, submitted);
	__sync_fetch_and_add(&s->latency[e4d_latency_row(latency) & (E4D_LATENCIES - 1)], 1);
	if (ret != submitted)
		__sync_fetch_and_add(ret < 0 ? &s->errors : &s->shorts, 1);
}

/* A write of which no more is seen than its begin (tracepoint tier before 6.6). */
static __always_inline void sums_add_begin(struct e4d_sums *s, __u32 submitted)
{
	__sync_fetch_and_add(&s->submitted, submitted);
	__sync_fetch_and_add(&s->latency[0], 1);
}

/* A write that was followed is over. */
static __always_inline void sums_add_record(struct e4d_sums *s, const struct e4d_record *r)
{
	__u64 over = e4d_over_mapped(r);

	__sync_fetch_and_add(&s->submitted, r->submitted);
	__sync_fetch_and_add(&s->unmapped, (__s64)r->submitted - r->mapped);
	__sync_fetch_and_add(&s->latency[e4d_latency_of(r)], 1);
	if (over)
		__sync_fetch_and_add(&s->over, over);
	if (r->flags & E4D_F_EXTEND)
		__sync_fetch_and_add(&s->extending, 1);
	if (e4d_is_error(r))
		__sync_fetch_and_add(&s->errors, 1);
	else if (e4d_is_short(r))
		__sync_fetch_and_add(&s->shorts, 1);
	if (e4d_is_finding(r, 0))
		__sync_fetch_and_add(&s->findings, 1);
}

/* The write is not followed, and no more is known of it than its begin. */
SLOW int begin_to_sums(struct inode *inode, __u32 submitted)
{
	__u32 place = 0, pid = bpf_get_current_pid_tgid() >> 32;
	struct e4d_sums *f = file_slow(k_id(inode), LOAD(inode, i_ino), k_dev(inode),
	                               LOAD(inode, i_generation), &place);

	sums_add_begin(f, submitted);
	f->last_pid = pid;
	if (shared.wanted & E4D_WANT_PROCESSES)
		sums_add_begin(process_slow(pid, &place), submitted);
	return 0;
}

/* inode_id: of the write of this record. */
SLOW int record_to_sums(__u64 inode_id, const struct e4d_record *r)
{
	__u32 place = 0;
	struct e4d_sums *f = file_slow(inode_id, r->ino, r->dev, r->gen, &place);

	sums_add_record(f, r);
	f->last_pid = r->pid;
	f->flags |= r->flags;
	if (shared.wanted & E4D_WANT_PROCESSES)
		sums_add_record(process_slow(r->pid, &place), r);
	return 0;
}

/* Another inode may come to lie at its address. */
SEC_EXT4_TP(ext4_evict_inode)
int BPF_PROG(tp_evict_inode, struct inode *inode)
{
	if (inode)
		sums_leave(shared.file_key, E4D_FILES, k_id(inode));
	return 0;
}

#endif
