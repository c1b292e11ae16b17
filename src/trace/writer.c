/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The writer: events to streams, and when a packet is due. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "trace/guard.h"
#include "trace/internal.h"
#include "trace/known.h"
#include "trace/worker.h"
#include "util/clock.h"
#include "util/log.h"

#define FLUSH_NS 1000000000ULL /* no event waits longer in memory */

/* Where the next event of the stream goes; NULL: w->err says why. */
static void *room(struct e4d_trace_writer *w, struct e4d_stream *s, size_t size)
{
	void *p = e4d_packet_room(&s->packet, size);

	if (!p && !e4d_flush(w, s)) {
		/* not by what the session says: a path belongs to the rotation of its write */
		if (s != &w->own && e4d_rotation_is_due(w) && e4d_rotate(w))
			return NULL;
		p = e4d_packet_room(&s->packet, size);
	}
	if (p && !s->packet.events)
		s->since = w->now;
	return p;
}

static int open_stream(struct e4d_stream *s, uint64_t instance)
{
	s->instance = instance;
	s->fd = -1;
	return e4d_packet_open(&s->packet);
}

static struct e4d_stream *grow(struct e4d_trace_writer *w, unsigned int cpu)
{
	struct e4d_stream *s;

	if (cpu >= w->cpus) {
		unsigned int n = cpu + 16 > E4D_TRACE_CPUS ? E4D_TRACE_CPUS : cpu + 16;
		struct e4d_stream **p = reallocarray(w->cpu, n, sizeof(*p));

		if (!p)
			return NULL;
		memset(p + w->cpus, 0, (n - w->cpus) * sizeof(*p));
		w->cpu = p;
		w->cpus = n;
	}
	s = calloc(1, sizeof(*s));
	if (!s || open_stream(s, cpu)) {
		free(s);
		return NULL;
	}
	w->cpu[cpu] = s;
	w->streams++;
	return s;
}

/* NULL: out of memory, and that is w->err. */
static struct e4d_stream *stream_of(struct e4d_trace_writer *w, unsigned int cpu)
{
	struct e4d_stream *s;

	if (cpu >= E4D_TRACE_CPUS)
		cpu = E4D_TRACE_CPUS - 1;
	if (cpu < w->cpus && w->cpu[cpu])
		return w->cpu[cpu];
	s = grow(w, cpu);
	if (!s)
		w->err = -ENOMEM;
	return s;
}

static void add(struct e4d_trace_writer *w, struct e4d_stream *s, struct e4d_event *e,
                enum e4d_event_id id, size_t size, uint64_t timestamp)
{
	e->timestamp = timestamp < s->floor ? s->floor : timestamp;
	e->id = id;
	e->size = size;
	e->reserved = 0;
	e4d_packet_add(&s->packet, e);
	w->held += size;
}

/* Of a write inside EOF that came as a record, where half of it says all. */
static bool to_inside(struct e4d_ev_inside *e, const struct e4d_record *r)
{
	struct e4d_record same;

	if (r->verdict != E4D_CLEAN || r->seen != (E4D_BRIEF_SEEN | E4D_SEEN_RET))
		return false;
	*e = (struct e4d_ev_inside){
		.head = {.timestamp = r->ts_ns + r->latency_ns,
	                 .id = E4D_EV_INSIDE,
	                 .size = sizeof(*e)},
		.pid = r->pid,
		.tid = r->tid,
		.seq_be = __builtin_bswap64(r->seq),
		.latency_ns = (uint32_t)r->latency_ns,
		.extents = (uint8_t)r->extents,
		.blkbits = r->blkbits,
		.tier = r->tier,
		.version = r->version,
		.submitted = r->submitted,
		.mapped = r->mapped,
		.ino = (uint32_t)r->ino,
		.dev = r->dev,
		.isize = r->isize_before,
		.gen = r->gen,
		.flags = (uint16_t)r->flags,
		.cpu = r->cpu,
		.offset_be = __builtin_bswap64(r->offset),
	};
	memcpy(e->comm, r->comm, sizeof(e->comm));
	e4d_inside_expand(&same, e);
	return !memcmp(&same, r, sizeof(same));
}

static int put_record(struct e4d_trace_writer *w, const struct e4d_record *rec)
{
	struct e4d_stream *s = stream_of(w, rec->cpu);
	struct e4d_ev_write *e = s ? room(w, s, sizeof(*e)) : NULL;

	if (!e)
		return w->err;
	e->rec = *rec;
	add(w, s, &e->head, E4D_EV_WRITE, sizeof(*e), rec->ts_ns + rec->latency_ns);
	return 0;
}

/* The first of n, and of those after it what goes on in the same packet. How many; 0: w->err. */
static size_t put_run(struct e4d_trace_writer *w, const struct e4d_ev_inside *from, size_t n)
{
	struct e4d_stream *s = stream_of(w, from->cpu);
	struct e4d_ev_inside *e = s ? room(w, s, sizeof(*e)) : NULL;
	struct e4d_record rec;
	size_t fit, i;

	if (!e)
		return 0;
	fit = e4d_packet_left(&s->packet) / sizeof(*e);
	for (i = 0; i < n && i < fit && from[i].cpu == from->cpu; i++) {
		/* its begin is told by its end, which therefore must be exact */
		if (from[i].head.timestamp < s->floor)
			break;
		e[i] = from[i];
		e[i].head.reserved = 0;
		e4d_packet_add(&s->packet, &e[i].head);
	}
	w->held += i * sizeof(*e);
	if (i)
		return i;
	e4d_inside_expand(&rec, from);
	return !put_record(w, &rec);
}

int e4d_trace_put(struct e4d_trace_writer *w, const struct e4d_record *rec)
{
	struct e4d_ev_inside e;

	if (w->err || e4d_is_full(w))
		return w->err ? w->err : E4D_TRACE_FULL;
	if (!to_inside(&e, rec))
		return put_record(w, rec);
	return put_run(w, &e, 1) ? 0 : w->err;
}

int e4d_trace_put_inside(struct e4d_trace_writer *w, const struct e4d_ev_inside *e, size_t n,
                         size_t *put)
{
	size_t i = 0;

	/* at a bound one by one: the dump is not to grow beyond it */
	while (i < n && !w->err && !e4d_is_full(w))
		i += put_run(w, &e[i], w->limits.max_bytes ? 1 : n - i);
	*put = i;
	return w->err || !w->full ? w->err : E4D_TRACE_FULL;
}

/* An event of the session's that ends with text. Its bytes before that are at e. */
static int put_text(struct e4d_trace_writer *w, enum e4d_event_id id, uint64_t timestamp,
                    const void *e, size_t e_size, const char *text)
{
	size_t len = strnlen(text, E4D_TRACE_TEXT - 1), size = (e_size + len + 8) & ~7ul;
	char *p = w->err ? NULL : room(w, &w->own, size);

	if (!p)
		return w->err;
	memcpy(p, e, e_size);
	memcpy(p + e_size, text, len);
	memset(p + e_size + len, 0, size - e_size - len);
	add(w, &w->own, (struct e4d_event *)p, id, size, timestamp);
	return 0;
}

bool e4d_trace_has_file(const struct e4d_trace_writer *w, uint32_t dev, uint64_t ino, uint32_t gen)
{
	return e4d_known_has(&w->known, dev, ino, gen);
}

int e4d_trace_put_file(struct e4d_trace_writer *w, uint32_t dev, uint64_t ino, uint32_t gen,
                       const char *path)
{
	struct e4d_ev_file e = {.ino = ino, .dev = dev, .gen = gen};

	if (w->err || !path || !e4d_known_add(&w->known, dev, ino, gen))
		return w->err;
	return put_text(w, E4D_EV_FILE, w->now, &e, sizeof(e), path);
}

int e4d_trace_put_loss(struct e4d_trace_writer *w, const char *name, uint64_t count)
{
	struct e4d_ev_loss e = {.count = count};

	return put_text(w, E4D_EV_LOSS, w->now, &e, sizeof(e), name);
}

int e4d_trace_put_mark(struct e4d_trace_writer *w, uint64_t boot_ns, const char *text)
{
	struct e4d_ev_mark e = {0};

	return put_text(w, E4D_EV_MARK, boot_ns, &e, sizeof(e), text);
}

int e4d_trace_put_counters(struct e4d_trace_writer *w, const struct e4d_ev_counters *c)
{
	struct e4d_ev_counters *e = w->err ? NULL : room(w, &w->own, sizeof(*e));

	if (!e)
		return w->err;
	*e = *c;
	add(w, &w->own, &e->head, E4D_EV_COUNTERS, sizeof(*e), w->now);
	return 0;
}

void e4d_trace_set_discarded(struct e4d_trace_writer *w, uint64_t n)
{
	w->discarded = n;
}

int e4d_put_session(struct e4d_trace_writer *w)
{
	struct e4d_ev_session *e = room(w, &w->own, sizeof(*e));

	if (!e)
		return w->err;
	*e = w->session;
	add(w, &w->own, &e->head, E4D_EV_SESSION, sizeof(*e), w->now);
	return 0;
}

static void tick_stream(struct e4d_trace_writer *w, struct e4d_stream *s)
{
	if (s->packet.events && w->now > s->since && w->now - s->since >= FLUSH_NS)
		e4d_flush(w, s);
}

int e4d_trace_tick(struct e4d_trace_writer *w, uint64_t now)
{
	w->now = now;
	for (unsigned int i = 0; i < w->cpus && !w->err; i++)
		if (w->cpu[i])
			tick_stream(w, w->cpu[i]);
	tick_stream(w, &w->own);
	if (!w->err && e4d_rotation_is_due(w))
		e4d_rotate(w);
	return w->err;
}

int e4d_trace_finish(struct e4d_trace_writer *w)
{
	struct e4d_event *end;
	unsigned int failed;

	e4d_flush_cpus(w);
	end = w->err ? NULL : room(w, &w->own, sizeof(*end));
	if (end)
		add(w, &w->own, end, E4D_EV_END, sizeof(*end), w->now);
	e4d_flush(w, &w->own);
	e4d_end_files(w);
	if (w->worker)
		e4d_worker_wait(w->worker);
	failed = e4d_worker_close(w->worker);
	w->worker = NULL;
	if (failed)
		e4d_warn("%u files of the dump could not be compressed: they are as whole as the "
		         "others, zstd --rm makes them smaller where there is room",
		         failed);
	return w->err;
}

void e4d_trace_written(const struct e4d_trace_writer *w, uint64_t *bytes, uint64_t *packets,
                       uint64_t *events)
{
	*bytes = e4d_dump_bytes(&w->dump);
	*packets = w->packets;
	*events = w->events;
}

unsigned int e4d_trace_rotation(const struct e4d_trace_writer *w)
{
	return w->dump.rotation;
}

void e4d_trace_session_event(struct e4d_ev_session *e, const struct e4d_trace_info *info)
{
	memset(e, 0, sizeof(*e));
	e->head.id = E4D_EV_SESSION;
	e->head.size = sizeof(*e);
	e->real_minus_boot_ns = (uint64_t)info->real_minus_boot_ns;
	e->major = E4D_TRACE_MAJOR;
	e->minor = E4D_TRACE_MINOR;
	e->tier = info->tier;
	snprintf(e->host, sizeof(e->host), "%s", info->host);
	snprintf(e->kernel, sizeof(e->kernel), "%s", info->kernel);
	snprintf(e->program, sizeof(e->program), "%s", info->program);
	snprintf(e->options, sizeof(e->options), "%s", info->options);
}

static int set_up(struct e4d_trace_writer *w, const struct e4d_trace_info *info)
{
	int err;

	w->now = w->began = e4d_boot_ns();
	if (getrandom(w->uuid, sizeof(w->uuid), 0) != sizeof(w->uuid))
		return -EIO;
	w->uuid[6] = (w->uuid[6] & 0x0f) | 0x40; /* RFC 9562: version 4, by chance */
	w->uuid[8] = (w->uuid[8] & 0x3f) | 0x80;
	e4d_trace_session_event(&w->session, info);
	err = e4d_known_open(&w->known);
	if (!err)
		err = open_stream(&w->own, E4D_STREAM_SESSION);
	if (!err)
		err = e4d_metadata_write(&w->dump, info, w->uuid);
	if (!err && w->limits.guard)
		err = e4d_guard_start(&w->guard, w->dump.dir);
	if (!err && (w->limits.zstd || w->limits.keep))
		err = e4d_worker_open(&w->worker, &w->dump);
	return err ? err : e4d_put_session(w);
}

int e4d_trace_create(struct e4d_trace_writer **out, const char *dir,
                     const struct e4d_trace_info *info, const struct e4d_trace_limits *limits,
                     char *why, size_t why_len)
{
	struct e4d_trace_writer *w = calloc(1, sizeof(*w));
	int err;

	*out = NULL;
	if (!w)
		return -ENOMEM;
	w->own.fd = -1;
	w->streams = 1;
	if (limits)
		w->limits = *limits;
	err = e4d_dump_create(&w->dump, dir, why, why_len);
	if (!err) {
		err = set_up(w, info);
		if (err) {
			snprintf(why, why_len,
			         "the dump in %s cannot be begun: %s; name another directory", dir,
			         strerror(-err));
			e4d_dump_undo(&w->dump, dir);
		}
	}
	if (err) {
		e4d_trace_writer_close(w);
		return err;
	}
	*out = w;
	return 0;
}

void e4d_trace_writer_close(struct e4d_trace_writer *w)
{
	char name[E4D_TRACE_NAME];

	if (!w)
		return;
	e4d_worker_close(w->worker);
	for (unsigned int i = 0; i < w->cpus; i++) {
		if (!w->cpu[i])
			continue;
		e4d_dump_end_file(&w->dump, w->cpu[i], name);
		e4d_packet_free(&w->cpu[i]->packet);
		free(w->cpu[i]);
	}
	e4d_dump_end_file(&w->dump, &w->own, name);
	e4d_guard_stop(&w->guard);
	e4d_packet_free(&w->own.packet);
	e4d_dump_close(&w->dump);
	free(w->cpu);
	e4d_known_close(&w->known);
	free(w);
}
