/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "filter/filter.h"
#include "flight/dump.h"
#include "flight/page.h"
#include "path/path.h"
#include "session/session.h"
#include "trace/packet.h"
#include "util/clock.h"
#include "verdict.h"

/* A copy of the ring, and its events by their time. */
struct take {
	struct e4d_flight_page *pages;
	const struct e4d_event **events;
	size_t n, cap;
};

static int take_event(void *ctx, const struct e4d_event *e)
{
	struct take *t = ctx;

	if (t->n == t->cap)
		return -ENOSPC;
	t->events[t->n++] = e;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = (*(const struct e4d_event *const *)a)->timestamp;
	uint64_t y = (*(const struct e4d_event *const *)b)->timestamp;

	return x < y ? -1 : x > y;
}

/* Copies first, and quickly: what is being overwritten is the oldest. */
static int take_all(struct take *t, const struct e4d_ring *r, struct e4d_flight_counts *c)
{
	size_t pages = e4d_ring_pages(r), n = 0;
	struct e4d_flight_info info;

	t->cap = pages * E4D_FLIGHT_SLOTS;
	t->pages = malloc(pages * sizeof(*t->pages));
	t->events = malloc(t->cap * sizeof(*t->events));
	if (!t->pages || !t->events)
		return -ENOMEM;
	for (size_t i = 0; i < pages; i++) {
		int err = e4d_flight_page_copy(&r->pages[i], &t->pages[n]);

		c->torn += err == -EAGAIN;
		n += !err && !e4d_flight_page_info(&t->pages[n], r->uuid, &info);
	}
	for (size_t i = 0; i < n; i++)
		e4d_flight_page_scan(&t->pages[i], take_event, t);
	qsort(t->events, t->n, sizeof(*t->events), by_time);
	c->kept = t->n;
	if (t->n) {
		c->from_ns = t->events[0]->timestamp;
		c->to_ns = t->events[t->n - 1]->timestamp;
	}
	return 0;
}

static int put_path(struct e4d_trace_writer *w, struct e4d_paths *paths,
                    const struct e4d_record *rec)
{
	if (e4d_trace_has_file(w, rec->dev, rec->ino, rec->gen))
		return 0;
	return e4d_trace_put_file(w, rec->dev, rec->ino, rec->gen, e4d_path_resolve(paths, rec));
}

static bool matches(const struct e4d_flight_dump *d, const struct e4d_record *rec)
{
	const char *path = NULL;

	if (!d->filter)
		return true;
	if (e4d_filter_needs_path(d->filter))
		path = e4d_path_resolve(d->paths, rec);
	return e4d_filter_match(d->filter, rec, path);
}

static int put_event(struct e4d_session *s, struct e4d_trace_writer *w,
                     const struct e4d_flight_dump *d, bool strict, const struct e4d_event *e,
                     struct e4d_flight_counts *c)
{
	struct e4d_record rec;
	size_t put;
	int err;

	e4d_flight_record(e, &rec);
	e4d_session_doubt(s, &rec);
	if (!matches(d, &rec))
		return 0;
	c->dumped++;
	c->findings += e4d_is_finding(&rec, strict);
	c->unknown += rec.verdict == E4D_UNKNOWN;
	err = put_path(w, d->paths, &rec);
	if (err)
		return err;
	if (e->id == E4D_EV_INSIDE && !rec.doubt)
		return e4d_trace_put_inside(w, (const struct e4d_ev_inside *)e, 1, &put);
	return e4d_trace_put(w, &rec);
}

static void put_loss(void *ctx, const char *name, uint64_t n)
{
	e4d_trace_put_loss(ctx, name, n);
}

/* Why it was made, how much of it there was, and every loss and total. */
static void put_rest(struct e4d_session *s, struct e4d_trace_writer *w,
                     const struct e4d_flight_dump *d, const struct e4d_flight_counts *c,
                     uint64_t now)
{
	struct e4d_ev_counters e;
	char text[512], counts[256];

	e4d_flight_describe(c, counts, sizeof(counts));
	snprintf(text, sizeof(text), "flight: %s: %s", d->why, counts);
	e4d_trace_put_mark(w, now, text);
	e4d_session_losses(s, put_loss, w);
	e4d_session_totals(s, &e);
	e4d_trace_put_counters(w, &e);
}

static void no_loss(void *ctx, const char *name, uint64_t n)
{
}

int e4d_flight_dump(struct e4d_session *s, const struct e4d_flight_dump *d, bool strict,
                    struct e4d_flight_counts *counts, char *why, size_t why_len)
{
	static const struct e4d_trace_limits limits = {0};
	struct e4d_trace_writer *w = NULL;
	struct e4d_counters sum;
	struct take t = {0};
	uint64_t now;
	int err, late;

	memset(counts, 0, sizeof(*counts));
	err = take_all(&t, e4d_session_ring(s), counts);
	e4d_session_read_losses(s);
	e4d_session_counters(s, &sum);
	counts->written =
		sum.v[E4D_C_PRODUCED] - sum.v[E4D_C_RING_FULL] + e4d_session_ring(s)->settled;
	if (counts->written > counts->kept)
		counts->overwritten = counts->written - counts->kept;
	if (!err)
		err = e4d_trace_create(&w, d->dir, &d->info, &limits, why, why_len);
	else
		snprintf(why, why_len, "%s", strerror(-err));
	if (!err)
		e4d_trace_set_discarded(w, e4d_session_losses(s, no_loss, NULL));
	for (size_t i = 0; i < t.n && !err; i++)
		err = put_event(s, w, d, strict, t.events[i], counts);
	if (w) {
		now = e4d_boot_ns();
		e4d_trace_tick(w, now);
		put_rest(s, w, d, counts, now);
		late = e4d_trace_finish(w);
		err = err ? err : late;
		if (err)
			snprintf(why, why_len, "writing %s failed: %s; make room", d->dir,
			         strerror(-err));
		e4d_trace_writer_close(w);
	}
	free(t.events);
	free(t.pages);
	return err;
}

void e4d_flight_describe(const struct e4d_flight_counts *c, char *buf, size_t len)
{
	snprintf(buf, len,
	         "%llu events written, %llu kept of the last %.3f s, %llu overwritten, %llu dumped",
	         (unsigned long long)c->written, (unsigned long long)c->kept,
	         (double)(c->to_ns - c->from_ns) / 1e9, (unsigned long long)c->overwritten,
	         (unsigned long long)c->dumped);
}

int e4d_flight_sign(struct e4d_session *s, const struct e4d_trace_info *info)
{
	const struct e4d_ring *r = e4d_session_ring(s);
	struct e4d_packet head = {.magic = E4D_PACKET_MAGIC,
	                          .stream_instance_id = E4D_STREAM_SESSION};
	struct e4d_packet_buf b = {0};
	struct e4d_ev_session *e;
	size_t size = 0;
	int err = e4d_packet_open(&b);

	if (err)
		return err;
	memcpy(head.uuid, r->uuid, sizeof(head.uuid));
	e = e4d_packet_room(&b, sizeof(*e));
	if (e) {
		e4d_trace_session_event(e, info);
		e->head.timestamp = e4d_boot_ns();
		e4d_packet_add(&b, &e->head);
		size = e4d_packet_seal(&b, &head);
	}
	if (size == E4D_FLIGHT_PAGE)
		memcpy(e4d_ring_user(r), b.data, size);
	e4d_packet_free(&b);
	return size == E4D_FLIGHT_PAGE ? 0 : -EMSGSIZE;
}

int e4d_flight_signed(const struct e4d_session *s, struct e4d_ev_session *said)
{
	const struct e4d_ring *r = e4d_session_ring(s);
	const struct e4d_packet *p = &e4d_ring_user(r)->head;
	const struct e4d_ev_session *e = (const struct e4d_ev_session *)(p + 1);

	if (p->magic != E4D_PACKET_MAGIC || memcmp(p->uuid, r->uuid, sizeof(p->uuid)) ||
	    e->head.id != E4D_EV_SESSION || e->head.size != sizeof(*e) ||
	    e->major != E4D_TRACE_MAJOR)
		return -EPROTO;
	*said = *e;
	said->host[sizeof(said->host) - 1] = 0;
	said->kernel[sizeof(said->kernel) - 1] = 0;
	said->program[sizeof(said->program) - 1] = 0;
	said->options[sizeof(said->options) - 1] = 0;
	return 0;
}
