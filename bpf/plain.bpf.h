/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Writes inside EOF that somebody wants to know of: each of them (cfg.all), or
 * how long they take (cfg.files). Their state is a quarter of a slot, found by
 * the iocb, and their record is written straight into the ring. One that
 * allocates, fails half way or turns out to extend becomes a followed write:
 * follow_plain().
 */
#ifndef E4D_PLAIN_BPF_H
#define E4D_PLAIN_BPF_H

#include "ring.bpf.h"
#include "sums.bpf.h"

#define PLAIN_MASK ((1 << E4D_PLAIN_BITS) - 1)

static __always_inline __u32 plain_index(__u64 iocb)
{
	return e4d_busy_at(iocb) >> (E4D_BUSY_BITS - E4D_PLAIN_BITS) & PLAIN_MASK;
}

/*
 * The compiler is not to know where it lies in `shared`: it would add the way from there,
 * too long for a load's offset, before each access.
 */
static __always_inline struct e4d_plain *plain_nth(__u32 at)
{
	struct e4d_plain *p = &shared.plain[at & PLAIN_MASK];

	barrier_var(p);
	return p;
}

/* Where the plain write of this iocb would be; it is there if p->iocb says so. */
static __always_inline struct e4d_plain *plain_at(__u64 iocb)
{
	return plain_nth(plain_index(iocb));
}

/* The one that this thread is in, or NULL. Only with cfg.all. */
static __always_inline struct e4d_plain *plain_of(__u64 id, __u64 inode)
{
	struct e4d_plain *p;

	if (!cfg.all)
		return NULL;
	p = plain_nth(shared.of_thread[(__u32)id & PLAIN_MASK]);
	return p->iocb && p->id == id && p->inode == inode ? p : NULL;
}

/* Inside EOF, and counted at the begin: see E4D_C_INSIDE. */
static __always_inline void count_inside(__s64 writes, __s64 bytes)
{
	struct e4d_counters *c = counters();

	__sync_fetch_and_add(&c->v[E4D_C_INSIDE], writes);
	/* the compiler would make an "or" of adding 0, which 5.10 does not have */
	if (!__builtin_constant_p(bytes) || bytes)
		__sync_fetch_and_add(&c->v[E4D_C_INSIDE_BYTES], bytes);
}

/* False: another's time is taken there; it is only counted. */
static __always_inline bool timed_begin(struct kiocb *iocb, struct inode *inode, __u32 submitted)
{
	__u64 id = k_id(iocb);
	struct e4d_plain *p = plain_at(id);

	if (!e4d_plain_claim(p, id))
		return false;
	p->inode = k_id(inode);
	p->submitted = submitted;
	p->ts_ns = bpf_ktime_get_ns();
	return true;
}

static __always_inline void plain_where(struct kiocb *iocb, struct inode *inode,
                                        struct e4d_plain *p)
{
	p->ino = LOAD(inode, i_ino);
	p->dev = k_dev(inode);
	p->gen = LOAD(inode, i_generation);
	p->offset = LOAD(iocb, ki_pos);
	p->flags = LOAD(iocb, ki_complete) ? E4D_F_ASYNC : E4D_F_SYNC;
	if (E4D_TIER != E4D_TIER_FENTRY) /* the others see no return */
		p->call = k_call_id();
}

/* The same, with what user space wants to know of it. */
SLOW int timed_begin_known(struct kiocb *iocb, struct inode *inode, __u32 submitted)
{
	struct e4d_plain *p = plain_at(k_id(iocb));

	if (!timed_begin(iocb, inode, submitted)) {
		count_inside(1, submitted);
		return 0;
	}
	p->id = bpf_get_current_pid_tgid();
	p->known = shared.wanted;
	if (p->known & E4D_WANT_FLIGHTS)
		plain_where(iocb, inode, p);
	p->seq = p->ts_ns;
	return 0;
}

static __always_inline void begin_timed(struct kiocb *iocb, struct inode *inode, __u32 submitted)
{
	if (shared.wanted)
		timed_begin_known(iocb, inode, submitted);
	else if (!timed_begin(iocb, inode, submitted))
		count_inside(1, submitted);
}

static __always_inline __u32 mode_flags(struct kiocb *iocb)
{
	__u32 ki = LOAD(iocb, ki_flags);

	return (LOAD(iocb, ki_complete) ? E4D_F_ASYNC : E4D_F_SYNC) |
	       (ki & IOCB_DSYNC ? E4D_F_DSYNC : 0) | (ki & IOCB_NOWAIT ? E4D_F_NOWAIT : 0);
}

static __always_inline void process_add(struct e4d_plain *p, __u32 pid, __s64 ret, __u64 latency)
{
	__u32 place = p->process_place & (E4D_PROCESSES - 1);
	struct e4d_sums *s = &shared.process[place];

	if (shared.process_key[place] != (__u64)pid << 1)
		s = process_slow(pid, &p->process_place);
	sums_add(s, p->submitted, ret, latency);
}

static __always_inline void file_about(struct kiocb *iocb, struct e4d_sums *f, __u32 pid)
{
	__u32 flags = mode_flags(iocb);

	f->flags |= flags;
	if (pid)
		f->last_pid = pid;
	else if (flags & E4D_F_SYNC)
		f->last_pid = bpf_get_current_pid_tgid() >> 32;
}

/* One in E4D_SAMPLE + 1, or each: its file's last process and flags, and the process's sums. */
SLOW int timed_sample(struct kiocb *iocb, struct e4d_plain *p, struct e4d_sums *f, __s64 ret,
                      __u64 latency)
{
	__u32 pid = cfg.all || e4d_knows(p, ~0) ? p->id >> 32 : 0;

	if (!(latency & E4D_SAMPLE))
		file_about(iocb, f, pid);
	if (pid && (shared.wanted & E4D_WANT_PROCESSES))
		process_add(p, pid, ret, latency);
	return 0;
}

static __always_inline void timed_add(struct kiocb *iocb, struct e4d_plain *p, __s64 ret,
                                      __u64 latency)
{
	__u32 place = p->place & (E4D_FILES - 1);
	struct e4d_sums *f = &shared.file[place];
	struct inode *inode;

	if (shared.file_key[place] != p->inode) {
		inode = k_inode(iocb);
		f = file_slow(p->inode, LOAD(inode, i_ino), k_dev(inode), LOAD(inode, i_generation),
		              &p->place);
	}
	sums_add(f, p->submitted, ret, latency);
	if (!(latency & shared.sample))
		timed_sample(iocb, p, f, ret, latency);
}

/* ret: bytes or -errno. */
static __always_inline void timed_end(struct kiocb *iocb, struct e4d_plain *p, __s64 ret)
{
	timed_add(iocb, p, ret, bpf_ktime_get_ns() - p->ts_ns);
	e4d_plain_free(p);
}

/*
 * It was followed after all. follow_late() took back a count at the begin, which
 * a write whose time is taken has not.
 */
static __always_inline void timed_drop(struct kiocb *iocb)
{
	struct e4d_plain *p = plain_at(k_id(iocb));

	if (p->iocb != k_id(iocb))
		return;
	if (cfg.files && !cfg.all)
		count_inside(1, p->submitted);
	e4d_plain_free(p);
}

/* False: not one for this way. */
static __always_inline bool plain_begin(struct kiocb *iocb, struct inode *inode, __u32 submitted,
                                        __u64 isize)
{
#ifdef E4D_NO_CMPXCHG
	return false;
#else
	__u64 id = bpf_get_current_pid_tgid(), iid = k_id(iocb);
	__u32 ki = LOAD(iocb, ki_flags), at = plain_index(iid);
	struct e4d_plain *p = plain_nth(at);
	__u64 mask;

	if (E4D_TIER == E4D_TIER_KPROBE || LOAD(iocb, ki_complete) || (ki & IOCB_NOWAIT) ||
	    busy(iocb) || (E4D_TIER == E4D_TIER_FENTRY && (LOAD(inode, i_flags) & S_DAX)))
		return false;
	if (id >> 32 == cfg.self_tgid)
		return true;
	if (p->iocb || __sync_val_compare_and_swap(&p->iocb, 0, iid))
		return false;
	p->id = id;
	p->inode = k_id(inode);
	p->ino = LOAD(inode, i_ino);
	p->dev = k_dev(inode);
	p->submitted = submitted;
	p->ki_flags = ki;
	p->offset = LOAD(iocb, ki_pos);
	p->isize = isize;
	p->mapped_end = 0;
	p->mapped = 0;
	p->dio_size = 0;
	p->gen = LOAD(inode, i_generation);
	p->blkbits = LOAD(inode, i_blkbits);
	mask = (1ULL << (p->blkbits & 31)) - 1;
	p->flags = E4D_F_SYNC | (ki & IOCB_DSYNC ? E4D_F_DSYNC : 0) |
	           (ki & IOCB_ATOMIC ? E4D_F_ATOMIC : 0) |
	           ((p->offset | submitted) & mask ? E4D_F_UNALIGNED : 0);
	p->extents = 0;
	p->dio_error = 0;
	p->seen = 0;
	p->seq = new_seq();
	p->ts_ns = bpf_ktime_get_boot_ns();
	shared.of_thread[(__u32)id & PLAIN_MASK] = at;
	return true;
#endif
}

static __always_inline void plain_mapped(struct e4d_plain *p, struct iomap *iomap)
{
	__u64 start = LOAD(iomap, offset), end = start + LOAD(iomap, length);

	if (p->seen & E4D_SEEN_END_IO)
		return;
	if (start < p->mapped_end) /* a mapping made anew half way counts once */
		start = p->mapped_end;
	if (end > start) {
		p->mapped += end - start; /* of 2 GiB at most, and a block */
		p->mapped_end = end;
		p->extents += p->extents != 0xffff;
	}
	if (LOAD(iomap, type) == IOMAP_UNWRITTEN)
		p->flags |= E4D_F_UNWRITTEN;
	p->seen |= E4D_SEEN_MAP;
}

static __always_inline void plain_end_io(struct e4d_plain *p, __s64 size, __s32 error)
{
	p->dio_error = error;
	p->seen |= E4D_SEEN_END_IO;
	if (size >= 0) {
		p->dio_size = size;
		p->seen |= E4D_SEEN_DIO_SIZE;
	}
}

#ifndef E4D_NO_CMPXCHG
static __always_inline bool emit_inside(const struct e4d_plain *p, __u32 cpu, __u64 now)
{
	struct e4d_ev_inside *e;
	struct ring_at at;

	if (!ring_reserve(&at, ring_row(cpu), 1))
		return false;
	e = (struct e4d_ev_inside *)at.event;
	e->head.timestamp = now;
	e->seq_be = __builtin_bswap64(p->seq);
	e->offset_be = __builtin_bswap64(p->offset);
	e->latency_ns = now - p->ts_ns;
	e->submitted = p->submitted;
	e->mapped = p->mapped;
	e->ino = p->ino;
	e->isize = p->isize;
	e->dev = p->dev;
	e->gen = p->gen;
	e->pid = p->id >> 32;
	e->tid = (__u32)p->id;
	e->flags = p->flags;
	e->cpu = cpu;
	e->extents = p->extents;
	e->blkbits = p->blkbits;
	e->tier = E4D_TIER;
	e->version = E4D_RECORD_VERSION;
	k_comm(e->comm);
	ring_commit(&at, 1, E4D_EV_INSIDE);
	return true;
}

static __always_inline bool emit_plain(const struct e4d_plain *p, __u64 isize, __s32 ret, __u32 cpu,
                                       __u64 now)
{
	struct e4d_ev_write *e;
	struct ring_at at;

	if (!ring_reserve(&at, ring_row(cpu), 2))
		return false;
	e = (struct e4d_ev_write *)at.event;
	e->head.timestamp = now;
	e4d_plain_record(&e->rec, p, isize, ret, now);
	e->rec.cpu = cpu;
	e->rec.tier = E4D_TIER;
	k_comm(e->rec.comm);
	ring_commit(&at, 2, E4D_EV_WRITE);
	return true;
}

static __always_inline void plain_end(struct kiocb *iocb, struct e4d_plain *p, struct inode *inode,
                                      __s32 ret, __u64 now)
{
	__u64 isize = k_isize(inode);
	bool brief = e4d_is_brief(p, isize, ret, now - p->ts_ns);
	__u32 cpu = bpf_get_smp_processor_id();
	struct e4d_counters *c = counters_of(cpu);

	__sync_fetch_and_add(&c->v[E4D_C_INSIDE], 1);
	__sync_fetch_and_add(&c->v[E4D_C_INSIDE_BYTES], p->submitted);
	__sync_fetch_and_add(&c->v[E4D_C_MAPPED], p->mapped);
	if (brief ? !emit_inside(p, cpu, now) : !emit_plain(p, isize, ret, cpu, now))
		__sync_fetch_and_add(&c->v[E4D_C_RING_FULL], 1);
	if (cfg.files)
		timed_add(iocb, p, ret, now - p->ts_ns);
	e4d_plain_free(p);
}
#else
static __always_inline void plain_end(struct kiocb *iocb, struct e4d_plain *p, struct inode *inode,
                                      __s32 ret, __u64 now)
{
	/* plain_begin() makes none */
}
#endif

#endif
