/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What was found, in order, each packet once, as dumps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flight/page.h"
#include "trace/recover.h"

size_t e4d_is_flight_page(const void *buf, size_t n)
{
	struct e4d_flight_info info;

	return n >= E4D_FLIGHT_PAGE && !e4d_flight_page_info(buf, NULL, &info) ? E4D_FLIGHT_PAGE
	                                                                       : 0;
}

static int count_event(void *ctx, const struct e4d_event *e)
{
	++*(uint32_t *)ctx;
	return 0;
}

void e4d_found_fill(struct e4d_found *f, const struct e4d_packet *p)
{
	struct e4d_flight_info info;

	f->instance = (uint32_t)p->stream_instance_id;
	if (!f->page) {
		f->seq = p->packet_seq_num;
		f->size = (uint32_t)e4d_packet_bytes(p);
		f->events = e4d_packet_end_of(p)->events;
		return;
	}
	e4d_flight_page_info((const void *)p, NULL, &info);
	f->seq = info.number;
	f->size = E4D_FLIGHT_PAGE;
	e4d_flight_page_scan((const void *)p, count_event, &f->events);
}

/* By trace, stream and number; of copies the one that says most is first. */
static int by_place(const void *a, const void *b)
{
	const struct e4d_found *x = a, *y = b;

	if (x->trace != y->trace)
		return x->trace < y->trace ? -1 : 1;
	if (x->instance != y->instance)
		return x->instance < y->instance ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	if (x->events != y->events)
		return x->events > y->events ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static bool same_stream(const struct e4d_found *a, const struct e4d_found *b)
{
	return a->trace == b->trace && a->instance == b->instance;
}

/* A stream that is being written. */
struct writing {
	struct e4d_salvage *s;
	struct e4d_dump *out;
	struct e4d_stream stream; /* floor: no packet may begin before */
	struct e4d_salvage_stream *told;
	uint8_t *buf;
};

/* Not before the stream's floor; a write for which ts + latency is not its end is whole. */
static int put_event(void *ctx, const struct e4d_event *e)
{
	struct writing *w = ctx;
	union {
		struct e4d_event head;
		struct e4d_ev_inside inside;
		struct e4d_ev_write write;
	} copy;
	void *room;

	if (e->timestamp >= w->stream.floor || e->id == E4D_EV_WRITE) {
		memcpy(&copy, e, e->size);
	} else {
		copy.head = *e;
		copy.head.id = E4D_EV_WRITE;
		copy.head.size = sizeof(copy.write);
		e4d_inside_expand(&copy.write.rec, (const void *)e);
	}
	copy.head.reserved = 0;
	if (copy.head.timestamp < w->stream.floor)
		copy.head.timestamp = w->stream.floor;
	room = e4d_packet_room(&w->stream.packet, copy.head.size);
	if (!room)
		return -ENOSPC; /* cannot be: a page is far smaller */
	memcpy(room, &copy, copy.head.size);
	e4d_packet_add(&w->stream.packet, &copy.head);
	return 0;
}

/* The packet of a page; its bytes, 0 when no event in it is whole, or negative errno. */
static ssize_t seal_page(struct writing *w, const struct e4d_found *f, const uint8_t *uuid)
{
	struct e4d_packet head = {.stream_instance_id = f->instance, .packet_seq_num = f->seq};
	size_t size;
	int err;

	if (!w->stream.packet.data && e4d_packet_open(&w->stream.packet))
		return -ENOMEM;
	e4d_packet_reset(&w->stream.packet);
	err = e4d_flight_page_scan((const void *)w->buf, put_event, w);
	if (err || !w->stream.packet.events)
		return err;
	memcpy(head.uuid, uuid, sizeof(head.uuid));
	size = e4d_packet_seal(&w->stream.packet, &head);
	return size ? (ssize_t)size : -ENOMEM;
}

static void tell(struct e4d_salvage_stream *t, const struct e4d_packet *p)
{
	uint64_t seq = p->packet_seq_num;

	if (!t->packets) {
		t->first = seq;
	} else if (seq > t->last + 1) {
		t->missing += seq - t->last - 1;
		if (t->gaps < E4D_SALVAGE_GAPS) {
			t->gap[t->gaps].from = t->last + 1;
			t->gap[t->gaps].to = seq - 1;
		}
		t->gaps++;
	}
	t->last = seq;
	t->packets++;
	t->events += e4d_packet_end_of(p)->events;
	t->bytes += e4d_packet_bytes(p);
}

static int write_one(struct writing *w, const struct e4d_found *f)
{
	const struct e4d_packet *p = (const void *)w->buf;
	size_t bytes;
	int err;

	if (pread(w->s->found, w->buf, f->size, (off_t)f->at) != (ssize_t)f->size)
		return errno ? -errno : -EIO;
	if (f->page) {
		ssize_t size = seal_page(w, f, w->told->trace->uuid);

		if (size <= 0)
			return (int)size;
		p = (const void *)w->stream.packet.data;
	} else if (e4d_packet_check(w->buf, f->size, &bytes) != E4D_PACKET_WHOLE) {
		return -EIO;
	}
	if (p->timestamp_begin < w->stream.floor) {
		w->told->backwards++;
		return 0;
	}
	err = e4d_dump_append(w->out, &w->stream, p, e4d_packet_bytes(p));
	if (!err) {
		tell(w->told, p);
		w->told->pages += f->page;
		w->stream.floor = p->timestamp_end;
	}
	return err;
}

/* The stream that begins with item *i; *i is behind it then. */
static int write_stream(struct e4d_salvage *s, struct e4d_dump *out, size_t *i, uint8_t *buf)
{
	const struct e4d_found *f = &s->items[*i];
	struct e4d_salvage_stream *more;
	struct writing w = {.s = s, .out = out, .buf = buf, .stream.fd = -1};
	char name[E4D_TRACE_NAME];
	int err = 0;

	more = realloc(s->streams, (s->n_streams + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->streams = more;
	w.told = &more[s->n_streams++];
	memset(w.told, 0, sizeof(*w.told));
	w.told->trace = &s->traces[f->trace];
	w.told->instance = f->instance;
	w.stream.instance = f->instance;
	for (; *i < s->n_items && same_stream(&s->items[*i], f) && !err; ++*i) {
		if (*i && same_stream(&s->items[*i], &s->items[*i - 1]) &&
		    s->items[*i].seq == s->items[*i - 1].seq)
			s->sum.copies++;
		else
			err = write_one(&w, &s->items[*i]);
	}
	s->sum.packets += w.told->packets;
	s->sum.events += w.told->events;
	e4d_dump_end_file(out, &w.stream, name);
	e4d_packet_free(&w.stream.packet);
	return err;
}

static int write_metadata(struct e4d_dump *out, const struct e4d_salvage_trace *t)
{
	const struct e4d_ev_session *e = &t->session;
	struct e4d_trace_info info = {
		.host = e->host,
		.kernel = e->kernel,
		.program = e->program,
		.options = e->options,
		.tier = e->tier < E4D_TIER_COUNT ? e->tier : E4D_TIER_NONE,
		.real_minus_boot_ns = (int64_t)e->real_minus_boot_ns,
	};

	return e4d_metadata_write(out, &info, t->uuid);
}

/* Where a trace goes: the directory itself, or one in it that has its uuid's name. */
static int place(struct e4d_salvage *s, struct e4d_salvage_trace *t, struct e4d_dump *out,
                 char *why, size_t why_len)
{
	size_t n = (size_t)snprintf(t->dir, sizeof(t->dir), "%s", s->dir);

	if (s->n_traces == 1) {
		*out = s->out;
		s->out.dir = -1;
		return 0;
	}
	if (n + 34 > sizeof(t->dir)) {
		snprintf(why, why_len, "%s: %s", s->dir, strerror(ENAMETOOLONG));
		return -ENAMETOOLONG;
	}
	t->dir[n++] = '/';
	for (int i = 0; i < 16; i++)
		n += (size_t)sprintf(t->dir + n, "%02x", t->uuid[i]);
	return e4d_dump_create(out, t->dir, why, why_len);
}

int e4d_salvage_write(struct e4d_salvage *s, char *why, size_t why_len)
{
	uint8_t *buf = aligned_alloc(4096, E4D_PACKET_MAX);
	int err = buf ? 0 : -ENOMEM;

	memcpy(s->sum.bad, s->in.count, sizeof(s->sum.bad));
	s->sum.bytes = s->in.got;
	if (s->n_items)
		qsort(s->items, s->n_items, sizeof(*s->items), by_place);
	snprintf(why, why_len, "%s: %s", s->dir, strerror(ENOMEM));
	errno = 0;
	for (size_t i = 0; i < s->n_items && !err;) {
		uint32_t trace = s->items[i].trace;
		struct e4d_dump out = {.dir = -1};

		err = place(s, &s->traces[trace], &out, why, why_len);
		if (err)
			break;
		err = write_metadata(&out, &s->traces[trace]);
		while (!err && i < s->n_items && s->items[i].trace == trace)
			err = write_stream(s, &out, &i, buf);
		e4d_dump_close(&out);
		if (err)
			snprintf(why, why_len, "%s: %s", s->dir, strerror(-err));
	}
	free(buf);
	return err;
}
