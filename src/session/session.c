/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "record/names.h"
#include "session/feed.h"
#include "session/misses.h"
#include "session/pending.h"
#include "session/session.h"
#include "shared.h"

struct e4d_session {
	struct e4d_session_opts opts;
	struct e4d_kernel kernel;
	struct e4d_attached att;
	struct ring_buffer *ring;
	struct e4d_shared *shared; /* mapped */
	int rows;                  /* of its counters in use */
	struct e4d_pending pending;
	struct e4d_misses misses;
	struct e4d_feed feed; /* with cfg.files */
	/* CLOCK_BOOTTIME ns: writes begun before it may be false, by what was missed */
	uint64_t missed_until[E4D_MISS_ANY + 1];
	uint64_t consumed, consume_to;
	struct e4d_counters settled; /* what the kernel side would have counted */
	struct e4d_record *batch;
	size_t batch_n, batch_cap;
	struct e4d_brief *briefs; /* with on_briefs: DELIVER_RECORDS of them */
	size_t brief_n;
	uint64_t ring_cap;     /* records that fit the ring */
	uint64_t found;        /* in it, since it was last emptied */
	uint64_t delivered_ns; /* the last delivery */
	int wait_ms;
	bool behind; /* the last tick left some in it */
	bool stopped;
};

#define DRAIN_NS        2000000000ULL /* at the end, for writes under way */
#define DELIVER_NS      100000000ULL  /* the misses are read no more often, */
#define DELIVER_RECORDS 8192          /* unless so many wait */
#define CUT             (-EAGAIN)     /* on_ring(): enough for now, more is there */
#define WAIT_MS         10            /* 2 million briefs a second fill half of 4 MiB */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Room for one more; NULL: out of memory. */
static struct e4d_record *batch_room(struct e4d_session *s)
{
	if (s->batch_n == s->batch_cap) {
		size_t cap = s->batch_cap ? s->batch_cap * 2 : 1024;
		struct e4d_record *p = reallocarray(s->batch, cap, sizeof(*p));

		if (!p)
			return NULL;
		s->batch = p;
		s->batch_cap = cap;
	}
	return &s->batch[s->batch_n++];
}

static int batch_add(struct e4d_session *s, const struct e4d_record *rec)
{
	struct e4d_record *room = batch_room(s);

	if (!room)
		return -ENOMEM;
	*room = *rec;
	return 0;
}

static int batch_expand(struct e4d_session *s, const struct e4d_brief *b)
{
	struct e4d_record *room = batch_room(s);

	if (!room)
		return -ENOMEM;
	e4d_brief_expand(room, b);
	return 0;
}

static int add_brief(struct e4d_session *s, const struct e4d_brief *b)
{
	if (!s->briefs || s->brief_n == 2 * DELIVER_RECORDS)
		return batch_expand(s, b);
	s->briefs[s->brief_n++] = *b;
	return 0;
}

static int on_ring(void *ctx, void *data, size_t size)
{
	struct e4d_session *s = ctx;
	int err;

	if (size >= sizeof(struct e4d_record))
		err = batch_add(s, data);
	else if (size >= sizeof(struct e4d_brief))
		err = add_brief(s, data);
	else
		return -EPROTO;
	s->consumed++;
	return err ? err : s->consumed >= s->consume_to ? CUT : 0;
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
	return batch_add(s, rec);
}

/* All that is in the ring, or so many records: then CUT. */
static int consume(struct e4d_session *s, uint64_t most)
{
	int n;

	s->consume_to = s->consumed + most;
	n = ring_buffer__consume(s->ring);
	return n < 0 ? n : 0;
}

static int consume_all(struct e4d_session *s)
{
	int err;

	do
		err = consume(s, DELIVER_RECORDS);
	while (err == CUT);
	return err;
}

static void read_misses(struct e4d_session *s)
{
	struct e4d_misses old = s->misses;

	e4d_misses_read(&s->att, &s->misses);
	for (int i = 0; i <= E4D_MISS_ANY; i++)
		if (s->misses.sum[i] != old.sum[i])
			s->missed_until[i] = now_ns();
}

/* Does what was mapped cover what was written? Then no mapping was missed. */
static bool mapping_is_whole(const struct e4d_record *r)
{
	return (r->seen & E4D_SEEN_DIO_SIZE) && r->mapped >= r->dio_size &&
	       r->mapped_end >= r->offset + r->dio_size;
}

static bool overlaps_loss(const struct e4d_session *s, const struct e4d_record *r)
{
	const uint64_t *until = s->missed_until;

	return r->ts_ns <= until[E4D_MISS_ANY] ||
	       (r->ts_ns <= until[E4D_MISS_MAPPING] && !mapping_is_whole(r));
}

/* Briefs may be doubted as any record, and then are no briefs. */
static int deliver_briefs(struct e4d_session *s)
{
	size_t n = 0;
	int err;

	for (size_t i = 0; i < s->brief_n; i++) {
		const struct e4d_brief *b = &s->briefs[i];

		if (b->ts_ns > s->missed_until[E4D_MISS_ANY]) {
			if (n++ != i)
				s->briefs[n - 1] = *b;
			continue;
		}
		err = batch_expand(s, b);
		if (err)
			return err;
	}
	s->brief_n = 0;
	return n ? s->opts.on_briefs(s->opts.ctx, s->briefs, n) : 0;
}

static int deliver(struct e4d_session *s)
{
	int err = deliver_briefs(s);

	for (size_t i = 0; i < s->batch_n && !err; i++) {
		struct e4d_record *r = &s->batch[i];

		if (overlaps_loss(s, r)) {
			r->doubt |= E4D_DOUBT_LOST;
			r->verdict = e4d_verdict(r);
		}
		err = s->opts.on_record(s->opts.ctx, r);
	}
	s->batch_n = 0;
	return err;
}

/* Writes that wait to be settled; the kernel side does not know of those that were. */
static bool any_pending(const struct e4d_session *s)
{
	uint64_t sum = 0;

	for (int cpu = 0; cpu < s->rows; cpu++)
		sum += __atomic_load_n(&s->shared->rows[cpu].v[E4D_C_PENDING], __ATOMIC_RELAXED);
	return (int64_t)sum > (int64_t)s->pending.settled;
}

/* Soon when the ring fills faster than it is emptied, later by and by. */
static void set_pace(struct e4d_session *s)
{
	if (s->found > s->ring_cap / 4)
		s->wait_ms = 1;
	else if (s->found <= s->ring_cap / 16)
		s->wait_ms = s->wait_ms * 2 < WAIT_MS ? s->wait_ms * 2 : WAIT_MS;
	s->found = 0;
}

int e4d_session_wait_ms(const struct e4d_session *s)
{
	return s->behind ? 0 : s->wait_ms;
}

static bool delivery_due(const struct e4d_session *s, uint64_t now)
{
	size_t n = s->batch_n + s->brief_n;

	return n && (s->opts.prompt || now - s->delivered_ns >= DELIVER_NS || n >= DELIVER_RECORDS);
}

int e4d_session_tick(struct e4d_session *s)
{
	uint64_t before = s->consumed, now = now_ns();
	int err = consume(s, DELIVER_RECORDS), late;

	s->found += s->consumed - before;
	s->behind = err == CUT;
	if (s->behind)
		err = 0;
	else
		set_pace(s);
	if (!err && any_pending(s))
		err = e4d_pending_settle(&s->pending, now, false, on_settled, s);
	if (!err && !delivery_due(s, now))
		return 0;
	read_misses(s);
	late = deliver(s);
	s->delivered_ns = now;
	return err ? err : late;
}

static void drop_link(struct e4d_session *s, int i)
{
	bpf_link__destroy(s->att.links[i]);
	s->att.links[i] = NULL;
}

/* No new writes; those under way get a while to end. */
static int drain(struct e4d_session *s)
{
	uint64_t until = now_ns() + DRAIN_NS;
	struct e4d_counters c;
	int err = 0;

	for (int i = 0; i < s->att.n; i++)
		if (e4d_hook_begins(s->att.hooks[i]))
			drop_link(s, i);
	do {
		/* also what lets a program finish that ran when its link went */
		usleep(20000);
		err = consume_all(s);
		e4d_session_counters(s, &c);
	} while (
		!err && now_ns() < until &&
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
	read_misses(s);
	for (int i = 0; i < s->att.n; i++)
		drop_link(s, i);
	usleep(20000);
	if (!err)
		err = consume_all(s);
	if (!err)
		err = e4d_pending_settle(&s->pending, now_ns(), true, on_settled, s);
	if (!err && s->opts.cfg.all)
		err = e4d_pending_end_plain(&s->pending, now_ns(), s->att.tier, on_settled, s);
	read_misses(s); /* of the programs, to the last */
	return err ? err : deliver(s);
}

static int map_fd(struct e4d_session *s, const char *name)
{
	return bpf_object__find_map_fd_by_name(s->att.obj, name);
}

/* Each record has a header of 8 bytes. */
static uint64_t ring_records(struct e4d_session *s)
{
	struct bpf_map *ring = bpf_object__find_map_by_name(s->att.obj, "ring");

	return bpf_map__max_entries(ring) / (sizeof(struct e4d_record) + 8);
}

static int set_up(struct e4d_session *s)
{
	struct bpf_map *bss = bpf_object__find_map_by_name(s->att.obj, ".bss");

	if (!bss || bpf_map__value_size(bss) != sizeof(*s->shared))
		return -EINVAL;
	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
	                 bpf_map__fd(bss), 0);
	if (s->shared == MAP_FAILED) {
		s->shared = NULL;
		return -errno;
	}
	s->rows = libbpf_num_possible_cpus();
	if (s->rows < 1 || s->rows > E4D_ROWS)
		s->rows = E4D_ROWS;
	if (s->opts.on_briefs)
		s->briefs = calloc(2 * DELIVER_RECORDS, sizeof(*s->briefs));
	s->ring = ring_buffer__new(map_fd(s, "ring"), on_ring, s, NULL);
	if (!s->ring)
		return -errno;
	s->ring_cap = ring_records(s);
	if (s->opts.cfg.files && e4d_feed_open(&s->feed, s->shared, s->opts.cfg.all))
		return -ENOMEM;
	s->wait_ms = WAIT_MS;
	return e4d_pending_open(&s->pending, map_fd(s, "inflight"), s->kernel.has_cmpxchg,
	                        s->shared, s->opts.limits.in_flight);
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
	s->opts.cfg.self_tgid = getpid();
	e4d_kernel_probe(&s->kernel);
	err = e4d_kernel_check(&s->kernel, why, why_len);
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
	e4d_kernel_free_btf(&s->kernel); /* tens of MiB, used no more */
	*out = s;
	return 0;
}

enum e4d_tier e4d_session_tier(const struct e4d_session *s)
{
	return s->att.tier;
}

const struct e4d_attached *e4d_session_attached(const struct e4d_session *s)
{
	return &s->att;
}

void e4d_session_counters(const struct e4d_session *s, struct e4d_counters *sum)
{
	const struct e4d_counters *rows = s->shared->rows;
	__u64 *v;

	memset(sum, 0, sizeof(*sum));
	v = sum->v;
	for (int cpu = 0; cpu < s->rows; cpu++)
		for (int c = 0; c < E4D_C_COUNT; c++)
			v[c] += __atomic_load_n(&rows[cpu].v[c], __ATOMIC_RELAXED);
	if (s->opts.cfg.files)
		e4d_feed_count(&s->feed, v);
	for (int c = 0; c < E4D_C_COUNT; c++)
		v[c] += s->settled.v[c];
	v[E4D_C_WRITES] += v[E4D_C_INSIDE] + s->pending.plain;
	v[E4D_C_DONE] += v[E4D_C_INSIDE];
	v[E4D_C_VERDICT0 + E4D_CLEAN] += v[E4D_C_INSIDE];
	v[E4D_C_SUBMITTED] += v[E4D_C_INSIDE_BYTES];
}

int e4d_session_want(struct e4d_session *s, uint32_t what)
{
	if (!s->opts.cfg.files)
		return -EINVAL;
	e4d_feed_want(&s->feed, what);
	return 0;
}

int e4d_session_files(struct e4d_session *s, e4d_row_fn *fn, void *ctx)
{
	return s->opts.cfg.files ? e4d_feed_files(&s->feed, now_ns(), fn, ctx) : -EINVAL;
}

int e4d_session_processes(struct e4d_session *s, e4d_row_fn *fn, void *ctx)
{
	return s->opts.cfg.files ? e4d_feed_processes(&s->feed, now_ns(), fn, ctx) : -EINVAL;
}

void e4d_session_flights(struct e4d_session *s, e4d_flight_fn *fn, void *ctx)
{
	struct e4d_flights f = {.pending = &s->pending,
	                        .shared = s->shared,
	                        .files = s->feed.files,
	                        .tier = s->att.tier,
	                        .all = s->opts.cfg.all};

	e4d_flights_read(&f, fn, ctx);
}

uint64_t e4d_session_losses(const struct e4d_session *s,
                            void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx)
{
	static const struct {
		enum e4d_counter c;
		const char *name;
	} table[] = {
		{E4D_C_RING_FULL, "ring_full"},
		{E4D_C_STATE_FULL, "state_full"},
		{E4D_C_STALE, "half_seen"},
		{E4D_C_STACK_FULL, "stack_full"},
	};
	struct e4d_counters sum;
	uint64_t total = 0;
	char name[96];

	e4d_session_counters(s, &sum);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!sum.v[table[i].c])
			continue;
		fn(ctx, table[i].name, sum.v[table[i].c]);
		total += sum.v[table[i].c];
	}
	for (int i = 0; i < s->att.n; i++) {
		const struct e4d_hook *h = s->att.hooks[i];

		if (s->misses.prog[i]) {
			snprintf(name, sizeof(name), "recursion_misses:%s", h->prog);
			fn(ctx, name, s->misses.prog[i]);
		}
		if (s->misses.link[i]) {
			snprintf(name, sizeof(name), "link_misses:%s", h->prog);
			fn(ctx, name, s->misses.link[i]);
		}
		total += s->misses.prog[i] + s->misses.link[i];
	}
	return total;
}

uint64_t e4d_session_consumed(const struct e4d_session *s)
{
	return s->consumed;
}

void e4d_session_close(struct e4d_session *s)
{
	if (!s)
		return;
	ring_buffer__free(s->ring);
	e4d_pending_close(&s->pending);
	e4d_feed_close(&s->feed);
	if (s->shared)
		munmap(s->shared, sizeof(*s->shared));
	e4d_detach(&s->att);
	e4d_kernel_free(&s->kernel);
	free(s->batch);
	free(s->briefs);
	free(s);
}
