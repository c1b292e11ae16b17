/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "record/names.h"
#include "session/state.h"

#define DRAIN_NS     2000000000ULL /* at the end, for writes under way */
#define DELIVER_NS   100000000ULL  /* the misses are read no more often, */
#define CUT          (-EAGAIN)     /* on_buffer(): enough for now, more is there */
#define CUT_RECORDS  8192
#define DELIVER_PART 8    /* unless such a part of the ring is full */
#define WAIT_MS      10   /* at most between two ticks, */
#define WAIT_SLOTS   4096 /* with all, a ms for so many slots of a row */

static int batch_add(struct e4d_session *s, const struct e4d_record *rec)
{
	if (s->batch_n == s->batch_cap) {
		size_t cap = s->batch_cap ? s->batch_cap * 2 : 1024;
		struct e4d_record *p = reallocarray(s->batch, cap, sizeof(*p));

		if (!p)
			return -ENOMEM;
		s->batch = p;
		s->batch_cap = cap;
	}
	s->batch[s->batch_n++] = *rec;
	return 0;
}

static int on_buffer(void *ctx, void *data, size_t size)
{
	struct e4d_session *s = ctx;
	int err;

	if (size < sizeof(struct e4d_record))
		return -EPROTO;
	s->consumed++;
	err = batch_add(s, data);
	return err ? err : s->batch_n % CUT_RECORDS ? 0 : CUT;
}

/* The kernel side's finish(), for a write that user space ended. */
static int on_settled(void *ctx, const struct e4d_record *rec)
{
	struct e4d_session *s = ctx;
	__u64 *v = s->settled.v;

	v[E4D_C_DONE]++;
	v[E4D_C_SUBMITTED] += rec->submitted;
	v[E4D_C_MAPPED] += rec->mapped;
	v[E4D_C_VERDICT0 + rec->verdict]++;
	v[E4D_C_EXTEND] += !!(rec->flags & E4D_F_EXTEND);
	if (s->opts.cfg.files)
		e4d_feed_settled(&s->feed, rec);
	/* still under way when the session ended, and nothing at stake */
	if (!s->opts.cfg.all && rec->doubt == E4D_DOUBT_SETTLE &&
	    !(rec->flags & (E4D_F_EXTEND | E4D_F_NEW)))
		return 0;
	if (s->ring.overwrite)
		e4d_ring_put(&s->ring, rec, e4d_boot_ns());
	return batch_add(s, rec);
}

static int give(struct e4d_session *s, struct e4d_record *rec)
{
	e4d_doubt(&s->doubts, rec);
	return s->opts.on_record(s->opts.ctx, rec);
}

/* A write inside EOF may be doubted as any other, and then says it as a whole record. */
static int give_inside(struct e4d_session *s, const struct e4d_ev_inside *e, size_t n)
{
	struct e4d_record rec;
	size_t from = 0;
	int err = 0;

	if (s->opts.on_inside && !e4d_doubts_any(&s->doubts))
		return s->opts.on_inside(s->opts.ctx, e, n);
	for (size_t i = 0; i < n && !err; i++) {
		bool whole = !s->opts.on_inside ||
		             e4d_doubts_since(&s->doubts, e[i].head.timestamp - e[i].latency_ns);

		if (!whole)
			continue;
		if (s->opts.on_inside && i > from)
			err = s->opts.on_inside(s->opts.ctx, &e[from], i - from);
		from = i + 1;
		e4d_inside_expand(&rec, &e[i]);
		if (!err)
			err = give(s, &rec);
	}
	if (!err && from < n)
		err = s->opts.on_inside(s->opts.ctx, &e[from], n - from);
	return err;
}

static int on_event(void *ctx, const struct e4d_event *e, size_t n)
{
	struct e4d_session *s = ctx;
	struct e4d_record rec;

	if (e->id == E4D_EV_INSIDE)
		return give_inside(s, (const struct e4d_ev_inside *)e, n);
	rec = ((const struct e4d_ev_write *)e)->rec;
	return give(s, &rec);
}

/* What ended until then, and then what user space settled. */
static int deliver(struct e4d_session *s, uint64_t until)
{
	int err = 0;

	if (!s->buffer)
		err = e4d_ring_read(&s->ring, until, !s->opts.on_inside && !s->ring.overwrite,
		                    on_event, s, &s->consumed);
	for (size_t i = 0; i < s->batch_n && !err; i++)
		err = give(s, &s->batch[i]);
	s->batch_n = 0;
	return err;
}

/* The misses of the whole life of what is delivered are known. */
static int read_and_deliver(struct e4d_session *s, uint64_t until)
{
	e4d_doubts_read(&s->doubts, &s->att, e4d_boot_ns());
	return deliver(s, until);
}

/* Writes that wait to be settled; the kernel side does not know of those that were. */
static bool any_pending(const struct e4d_session *s)
{
	uint64_t sum = 0;

	for (int cpu = 0; cpu < s->rows; cpu++)
		sum += __atomic_load_n(&s->shared->rows[cpu].v[E4D_C_PENDING], __ATOMIC_RELAXED);
	return (int64_t)sum > (int64_t)s->pending.settled;
}

/* 2 million writes a second by one CPU fill half of its row meanwhile. */
static int longest_wait(const struct e4d_session *s)
{
	uint64_t ms = s->opts.cfg.all ? s->ring_cap / WAIT_SLOTS : WAIT_MS;

	return ms < 1 ? 1 : ms < WAIT_MS ? ms : WAIT_MS;
}

/* Soon when the ring fills faster than it is emptied, later by and by. */
static void set_pace(struct e4d_session *s, uint64_t grown)
{
	int most = longest_wait(s);

	if (grown > s->ring_cap / 4)
		s->wait_ms = 1;
	else if (grown <= s->ring_cap / 16)
		s->wait_ms = s->wait_ms * 2 < most ? s->wait_ms * 2 : most;
}

int e4d_session_wait_ms(const struct e4d_session *s)
{
	return s->wait_ms;
}

static bool delivery_due(const struct e4d_session *s, uint64_t now)
{
	uint64_t n = s->buffer ? 0 : e4d_ring_waiting(&s->ring);

	if (!n && !s->batch_n)
		return false;
	return s->opts.prompt || now - s->delivered_ns >= DELIVER_NS ||
	       n + s->batch_n >= s->ring_cap / DELIVER_PART;
}

int e4d_session_tick(struct e4d_session *s)
{
	uint64_t now = e4d_boot_ns(), before = s->consumed;
	int err = 0, late;

	if (s->buffer)
		err = ring_buffer__consume(s->buffer);
	err = err < 0 && err != CUT ? err : 0;
	set_pace(s, s->buffer ? s->consumed - before : e4d_ring_grown(&s->ring));
	if (!err && any_pending(s))
		err = e4d_pending_settle(&s->pending, now, false, on_settled, s);
	if (!err && !delivery_due(s, now))
		return 0;
	late = read_and_deliver(s, now);
	s->delivered_ns = now;
	return err ? err : late;
}

static void drop_link(struct e4d_session *s, int i)
{
	bpf_link__destroy(s->att.links[i]);
	s->att.links[i] = NULL;
}

static int consume(struct e4d_session *s)
{
	int err;

	if (!s->buffer)
		return read_and_deliver(s, e4d_boot_ns());
	do
		err = ring_buffer__consume(s->buffer);
	while (err == CUT);
	return err < 0 ? err : 0;
}

/* No new writes; those under way get a while to end. */
static int drain(struct e4d_session *s)
{
	uint64_t until = e4d_boot_ns() + DRAIN_NS;
	struct e4d_counters c;
	int err = 0;

	__atomic_store_n(&s->shared->whole, 0, __ATOMIC_RELEASE);
	for (int i = 0; i < s->att.n; i++)
		if (e4d_hook_begins(s->att.hooks[i]))
			drop_link(s, i);
	do {
		/* also what lets a program finish that ran when its link went */
		usleep(20000);
		err = consume(s);
		e4d_session_counters(s, &c);
	} while (
		!err && e4d_boot_ns() < until &&
		(c.v[E4D_C_DONE] + c.v[E4D_C_STATE_FULL] + c.v[E4D_C_PENDING] - s->pending.settled <
	                 c.v[E4D_C_WRITES] ||
	         ((s->opts.cfg.all || s->opts.cfg.files) && e4d_pending_plain(&s->pending))));
	return err;
}

int e4d_session_stop(struct e4d_session *s)
{
	int err;

	if (s->stopped)
		return 0;
	s->stopped = true;
	err = drain(s);
	e4d_doubts_read(&s->doubts, &s->att, e4d_boot_ns());
	for (int i = 0; i < s->att.n; i++)
		drop_link(s, i);
	usleep(20000);
	if (!err && s->buffer)
		err = consume(s);
	if (!err)
		err = e4d_pending_settle(&s->pending, e4d_boot_ns(), true, on_settled, s);
	if (!err && s->opts.cfg.all)
		err = e4d_pending_end_plain(&s->pending, e4d_boot_ns(), s->att.tier, on_settled, s);
	/* of the programs, to the last */
	return err ? err : read_and_deliver(s, UINT64_MAX);
}

static int open_ring(struct e4d_session *s)
{
	const struct e4d_attached *a = &s->att;

	if (s->kernel.has_cmpxchg) {
		s->ring_cap = (uint64_t)a->ring_pages * E4D_FLIGHT_SLOTS;
		return e4d_ring_open(&s->ring, a->ring_fd, s->shared, a->ring_rows, a->ring_pages,
		                     s->opts.cfg.overwrite);
	}
	/* each record has a header of 8 bytes */
	s->ring_cap =
		a->ring_rows * a->ring_pages * E4D_FLIGHT_PAGE / (sizeof(struct e4d_record) + 8);
	s->buffer = ring_buffer__new(a->ring_fd, on_buffer, s, NULL);
	return s->buffer ? 0 : -errno;
}

static int map_shared(struct e4d_session *s)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(s->att.shared_fd, &info, &len) ||
	    info.value_size != sizeof(*s->shared))
		return -EINVAL;
	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
	                 s->att.shared_fd, 0);
	if (s->shared == MAP_FAILED) {
		s->shared = NULL;
		return -errno;
	}
	s->doubts.missed = &s->shared->missed;
	s->rows = libbpf_num_possible_cpus();
	if (s->rows < 1 || s->rows > E4D_ROWS)
		s->rows = E4D_ROWS;
	return 0;
}

static int set_up(struct e4d_session *s)
{
	int err = map_shared(s);

	if (!err)
		err = open_ring(s);
	if (err)
		return err;
	if (s->opts.cfg.files && e4d_feed_open(&s->feed, s->shared, s->opts.cfg.all))
		return -ENOMEM;
	s->wait_ms = longest_wait(s);
	return e4d_pending_open(&s->pending, s->att.inflight_fd, s->kernel.has_cmpxchg, s->shared,
	                        s->opts.limits.in_flight);
}

int e4d_session_adopt(const struct e4d_session_opts *opts, int dir, struct e4d_session **out)
{
	struct e4d_session *s = calloc(1, sizeof(*s));
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);
	int err;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->opts = *opts;
	s->opts.cfg.all = 1;
	s->opts.cfg.overwrite = 1;
	s->kernel.has_cmpxchg = true; /* or there were nothing to adopt */
	err = e4d_attach_pinned(dir, &s->att);
	if (!err)
		err = map_shared(s);
	if (!err && bpf_obj_get_info_by_fd(s->att.ring_fd, &info, &len))
		err = -errno;
	if (!err)
		err = e4d_ring_adopt(&s->ring, s->att.ring_fd, info.max_entries, s->shared);
	if (!err)
		err = e4d_pending_open(&s->pending, s->att.inflight_fd, true, s->shared, 0);
	if (err) {
		e4d_session_close(s);
		return err;
	}
	*out = s;
	return 0;
}

int e4d_session_open(const struct e4d_session_opts *opts, struct e4d_session **out, char *why,
                     size_t why_len)
{
	struct e4d_session *s = calloc(1, sizeof(*s));
	int err;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->opts = *opts;
	s->opts.cfg.self_tgid = opts->pinned ? 0 : getpid();
	e4d_kernel_probe(&s->kernel);
	err = e4d_kernel_check(&s->kernel, why, why_len);
	if (!err && opts->cfg.overwrite && !s->kernel.has_cmpxchg) {
		snprintf(why, why_len,
		         "the flight recorder needs atomic operations of BPF that came "
		         "with 5.12: leave --flight out");
		err = -ENOTSUP;
	}
	if (!err && opts->tier)
		err = e4d_attach(&s->kernel, opts->tier, &s->opts.cfg, &opts->limits, &s->att, why,
		                 why_len);
	else if (!err)
		err = e4d_attach_best(&s->kernel, &s->opts.cfg, &opts->limits, &s->att, why,
		                      why_len);
	if (!err) {
		err = set_up(s);
		if (err)
			snprintf(why, why_len,
			         "mapping the tracer's memory failed: %s; raise the "
			         "memlock limit (ulimit -l unlimited)",
			         strerror(-err));
	}
	if (err) {
		e4d_session_close(s);
		return err;
	}
	usleep(20000); /* what had begun before has its blocks by now, or mostly */
	__atomic_store_n(&s->shared->whole, 1, __ATOMIC_RELEASE);
	e4d_kernel_free_btf(&s->kernel); /* tens of MiB, used no more */
	*out = s;
	return 0;
}

void e4d_session_close(struct e4d_session *s)
{
	if (!s)
		return;
	ring_buffer__free(s->buffer);
	e4d_ring_close(&s->ring);
	e4d_pending_close(&s->pending);
	e4d_feed_close(&s->feed);
	if (s->shared)
		munmap(s->shared, sizeof(*s->shared));
	e4d_detach(&s->att);
	e4d_kernel_free(&s->kernel);
	free(s->batch);
	free(s);
}
