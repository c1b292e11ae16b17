/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Several dumps as one: their CPUs' streams merged by the time of the writes' ends. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/source.h"
#include "util/log.h"

/* A CPU's stream, and the write of it that comes next. */
struct lane {
	struct e4d_track track;
	unsigned int host;
	const struct e4d_event *event; /* NULL: none is left */
	const void *end;               /* of the packet's events */
	/* the file of the last write */
	uint64_t ino;
	uint32_t dev, gen;
	bool path_known;
	const char *path;
};

/* No write is left. A time is kept below. */
#define NEVER UINT64_MAX

struct e4d_trace_reader {
	struct e4d_source *hosts;
	unsigned int n_hosts;
	struct lane *lanes;
	/*
	 * A tournament of the lanes: of nodes 2n and 2n+1 the earlier lane stands in n, and
	 * node 1 has the earliest of all. The lanes are the nodes from `width` on.
	 */
	uint64_t *next_ns; /* of each lane, CLOCK_REALTIME, or NEVER */
	uint32_t *winner;
	uint32_t n_lanes, width; /* width: a power of two, so that ties go to the lower lane */
	bool passed;             /* the write of winner[1] was handed out */
	uint64_t first;
	uint64_t *last; /* UINT64_MAX: not known yet */
	struct e4d_record rec;
};

/* CLOCK_REALTIME, kept within 64 bits so that order stays. */
static uint64_t real_ns(const struct e4d_source *d, uint64_t boot_ns)
{
	int64_t diff = d->host.real_minus_boot_ns;
	uint64_t by = diff < 0 ? -(uint64_t)diff : (uint64_t)diff;

	if (diff < 0)
		return boot_ns > by ? boot_ns - by : 0;
	return boot_ns < NEVER - 1 - by ? boot_ns + by : NEVER - 1;
}

/* The first that real_ns() makes ns of: 0 is kept for all that lie before. */
static uint64_t boot_ns(const struct e4d_source *d, uint64_t ns)
{
	int64_t diff = d->host.real_minus_boot_ns;
	uint64_t by = diff < 0 ? -(uint64_t)diff : (uint64_t)diff;

	if (diff >= 0)
		return ns > by ? ns - by : 0;
	if (!ns)
		return 0;
	return ns < UINT64_MAX - by ? ns + by : UINT64_MAX;
}

static bool is_write(const struct e4d_event *e)
{
	return e->id == E4D_EV_INSIDE || e->id == E4D_EV_WRITE;
}

/* To the next write at or after l->event, in this packet or a later one: 1, 0 or errno. */
static int settle(struct lane *l)
{
	for (;;) {
		const struct e4d_packet *p;
		int rc;

		while (l->event && (const void *)l->event < l->end) {
			if (is_write(l->event))
				return 1;
			l->event = e4d_event_next(l->event);
		}
		l->event = NULL;
		rc = e4d_track_packet(&l->track, &p);
		if (rc <= 0)
			return rc;
		l->event = e4d_packet_events(p, &l->end);
	}
}

/* After a lane's next write has changed. Without a branch that depends on times. */
static void play(struct e4d_trace_reader *r, uint32_t lane)
{
	uint32_t *winner = r->winner;

	for (uint32_t node = (r->width + lane) / 2; node; node /= 2) {
		uint32_t a = winner[2 * node], b = winner[2 * node + 1];

		winner[node] = r->next_ns[b] < r->next_ns[a] ? b : a;
	}
}

static uint64_t lane_ns(const struct e4d_trace_reader *r, const struct lane *l)
{
	return real_ns(&r->hosts[l->host], l->event->timestamp);
}

/* All lanes to their first write at or after ns; *at is the one that failed. */
static int set_out(struct e4d_trace_reader *r, uint64_t ns, uint32_t *at)
{
	r->passed = false;
	for (uint32_t i = 0; i < r->n_lanes; i++) {
		struct lane *l = &r->lanes[i];
		int rc = settle(l);

		*at = i;
		while (rc > 0 && lane_ns(r, l) < ns) {
			l->event = e4d_event_next(l->event);
			rc = settle(l);
		}
		if (rc < 0)
			return rc;
		r->next_ns[i] = rc ? lane_ns(r, l) : NEVER;
	}
	for (uint32_t i = 0; i < r->n_lanes; i += 2)
		play(r, i);
	return 0;
}

/* Room for the lanes that there are. */
static int open_tournament(struct e4d_trace_reader *r)
{
	for (r->width = 1; r->width < r->n_lanes; r->width *= 2)
		;
	r->next_ns = calloc(r->width, sizeof(*r->next_ns));
	r->winner = calloc(2 * (size_t)r->width, sizeof(*r->winner));
	if (!r->next_ns || !r->winner)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->width; i++) {
		r->next_ns[i] = NEVER;
		r->winner[r->width + i] = i;
	}
	for (uint32_t i = 0; i < r->width; i += 2)
		play(r, i);
	return 0;
}

static int say(char *why, size_t len, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int say(char *why, size_t len, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return err;
}

static int explain(const struct e4d_source *d, int err, char *why, size_t len)
{
	switch (err) {
	case -EPROTO:
		return say(why, len, err,
		           "%s: written by a newer version (this one reads format %d): read it "
		           "with that version of ext4diotop",
		           d->dir, E4D_TRACE_MAJOR);
	case -ENODATA:
		return say(why, len, err,
		           "%s: no whole packet; ext4diotop salvage looks for what is left",
		           d->dir);
	case -ENOENT:
		return say(why, len, err, "%s: no trace dump is there (cpuN-*, session-*)", d->dir);
	case -ENOTDIR:
		return say(why, len, err,
		           "%s: a dump is a directory; for a single file see ext4diotop salvage",
		           d->dir);
	default:
		return say(why, len, err, "%s: %s", d->dir ? d->dir : "dump", strerror(-err));
	}
}

static int open_lanes(struct e4d_trace_reader *r, unsigned int host)
{
	struct e4d_source *d = &r->hosts[host];
	struct lane *more;

	for (size_t i = 0; i < d->n_files; i++) {
		if (d->files[i].instance == E4D_STREAM_SESSION ||
		    (i && d->files[i - 1].instance == d->files[i].instance))
			continue;
		more = realloc(r->lanes, (r->n_lanes + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		r->lanes = more;
		memset(&more[r->n_lanes], 0, sizeof(*more));
		more[r->n_lanes].host = host;
		e4d_track_init(&more[r->n_lanes++].track, d, i);
	}
	return 0;
}

/* What belongs to the session, before any write. */
static int open_host(struct e4d_trace_reader *r, unsigned int i, const char *dir)
{
	struct e4d_source *d = &r->hosts[i];
	int err = e4d_source_open(d, dir);

	if (!err)
		err = e4d_source_read_session(d);
	if (!err)
		err = open_lanes(r, i);
	if (!err && d->texts.dropped)
		e4d_warn("%s: more than %u MiB of paths and marks; %llu are left out", d->dir,
		         E4D_TEXTS_MAX >> 20, (unsigned long long)d->texts.dropped);
	return err;
}

static int check_hosts(struct e4d_trace_reader *r, char *why, size_t len)
{
	for (unsigned int i = 0; i < r->n_hosts; i++) {
		struct e4d_source *d = &r->hosts[i];

		if (!d->has_uuid)
			return explain(d, -ENODATA, why, len);
		for (unsigned int k = 0; k < i; k++)
			if (!memcmp(r->hosts[k].host.uuid, d->host.uuid, sizeof(d->host.uuid)))
				return say(why, len, -EEXIST,
				           "%s and %s are the same trace: name it once",
				           r->hosts[k].dir, d->dir);
	}
	return 0;
}

int e4d_trace_open(struct e4d_trace_reader **out, const char *const *dirs, unsigned int n,
                   char *why, size_t why_len)
{
	struct e4d_trace_reader *r = calloc(1, sizeof(*r));
	int err = 0;

	*out = NULL;
	snprintf(why, why_len, "out of memory");
	if (!r)
		return -ENOMEM;
	r->hosts = calloc(n ? n : 1, sizeof(*r->hosts));
	r->last = calloc(1, sizeof(*r->last));
	if (!r->hosts || !r->last)
		err = -ENOMEM;
	for (unsigned int i = 0; i < n && !err; i++) {
		r->n_hosts = i + 1;
		err = open_host(r, i, dirs[i]);
		if (err)
			explain(&r->hosts[i], err, why, why_len);
	}
	if (!err) {
		uint32_t lane = 0;

		*r->last = UINT64_MAX;
		err = open_tournament(r);
		if (!err && (err = set_out(r, 0, &lane)))
			explain(&r->hosts[r->lanes[lane].host], err, why, why_len);
	}
	if (!err)
		err = check_hosts(r, why, why_len);
	if (err) {
		e4d_trace_close(r);
		return err;
	}
	r->first = r->next_ns[r->winner[1]];
	if (r->first == NEVER)
		r->first = 0;
	*out = r;
	return 0;
}

unsigned int e4d_trace_hosts(const struct e4d_trace_reader *r)
{
	return r->n_hosts;
}

const struct e4d_trace_host *e4d_trace_host(const struct e4d_trace_reader *r, unsigned int i)
{
	struct e4d_source *d = &r->hosts[i];
	struct e4d_trace_host *h = &d->host;

	h->packets = d->packets;
	h->bad_packets = d->bad_packets;
	h->bad_bytes = d->bad_bytes;
	h->missing_packets = d->missing;
	h->discarded = d->discarded;
	for (uint32_t k = 0; k < r->n_lanes; k++) {
		const struct e4d_track *t = &r->lanes[k].track;

		if (r->lanes[k].host != i)
			continue;
		h->packets += t->packets;
		h->bad_packets += e4d_input_bad(&t->in) + t->strangers;
		h->bad_bytes += t->in.bad_bytes;
		h->missing_packets += t->missing;
		h->discarded += t->discarded;
	}
	return h;
}

#define KNOWN(count) ((1u << (count)) - 1)
#define SEEN_COUNT   11

/* What a later minor version may say, and a table of ours has no word for. */
static bool is_known(const struct e4d_record *r)
{
	/* without a branch for each: it is asked for every write */
	return !((r->flags & ~KNOWN(E4D_FLAG_COUNT)) | (r->seen & ~KNOWN(SEEN_COUNT)) |
	         (r->doubt & ~KNOWN(E4D_DOUBT_COUNT)) | (r->tier >= E4D_TIER_COUNT) |
	         (r->verdict >= E4D_VERDICT_COUNT) | (r->evidence >= E4D_EVIDENCE_COUNT) |
	         (r->blkbits & ~31u) | (unsigned char)r->comm[E4D_COMM_LEN - 1]);
}

static void make_known(struct e4d_record *r)
{
	r->flags &= KNOWN(E4D_FLAG_COUNT);
	r->seen &= KNOWN(SEEN_COUNT);
	r->doubt &= KNOWN(E4D_DOUBT_COUNT);
	if (r->tier >= E4D_TIER_COUNT)
		r->tier = E4D_TIER_NONE;
	if (r->verdict >= E4D_VERDICT_COUNT)
		r->verdict = E4D_UNKNOWN;
	if (r->evidence >= E4D_EVIDENCE_COUNT)
		r->evidence = E4D_INFERRED;
	if (r->blkbits >= 32)
		r->blkbits = 0;
	r->comm[E4D_COMM_LEN - 1] = 0;
}

static const struct e4d_record *record(struct e4d_trace_reader *r, const struct e4d_event *e)
{
	const struct e4d_record *rec = &r->rec;

	if (e->id == E4D_EV_INSIDE)
		e4d_inside_expand(&r->rec, (const void *)e);
	else
		rec = &((const struct e4d_ev_write *)e)->rec;
	if (!is_known(rec)) {
		if (rec != &r->rec)
			r->rec = *rec;
		make_known(&r->rec);
		rec = &r->rec;
	}
	return rec;
}

static const char *path_of(struct e4d_trace_reader *r, struct lane *l, const struct e4d_record *rec)
{
	if (!l->path_known || l->ino != rec->ino || l->dev != rec->dev || l->gen != rec->gen) {
		l->path = e4d_texts_get(&r->hosts[l->host].texts, rec->dev, rec->ino, rec->gen);
		l->ino = rec->ino;
		l->dev = rec->dev;
		l->gen = rec->gen;
		l->path_known = true;
	}
	return l->path;
}

/* From the write that was handed out to the next one of its lane. */
static int pass(struct e4d_trace_reader *r)
{
	uint32_t lane = r->winner[1];
	struct lane *l = &r->lanes[lane];
	int rc;

	r->passed = false;
	l->event = e4d_event_next(l->event);
	rc = settle(l);
	r->next_ns[lane] = rc > 0 ? lane_ns(r, l) : NEVER;
	play(r, lane);
	return rc < 0 ? rc : 0;
}

int e4d_trace_next(struct e4d_trace_reader *r, struct e4d_trace_write *w)
{
	struct lane *l;
	int err = r->passed ? pass(r) : 0;

	if (err || r->next_ns[r->winner[1]] == NEVER)
		return err;
	l = &r->lanes[r->winner[1]];
	w->rec = record(r, l->event);
	w->path = path_of(r, l, w->rec);
	w->host = l->host;
	w->end_ns = l->event->timestamp;
	r->passed = true;
	return 1;
}

int e4d_trace_seek(struct e4d_trace_reader *r, uint64_t ns)
{
	uint32_t failed;

	for (uint32_t i = 0; i < r->n_lanes; i++) {
		struct lane *l = &r->lanes[i];

		e4d_track_seek(&l->track, boot_ns(&r->hosts[l->host], ns));
		l->event = NULL;
	}
	return set_out(r, ns, &failed);
}

void e4d_trace_span(const struct e4d_trace_reader *r, uint64_t *first, uint64_t *last)
{
	if (*r->last == UINT64_MAX) {
		uint64_t most = r->first;

		for (uint32_t i = 0; i < r->n_lanes; i++) {
			const struct lane *l = &r->lanes[i];
			uint64_t ns = e4d_track_last_ns(&l->track);

			if (ns && real_ns(&r->hosts[l->host], ns) > most)
				most = real_ns(&r->hosts[l->host], ns);
		}
		*r->last = most;
	}
	*first = r->first;
	*last = r->first ? *r->last : 0;
}

void e4d_trace_losses(const struct e4d_trace_reader *r,
                      void (*fn)(void *ctx, unsigned int host, const char *name, uint64_t n),
                      void *ctx)
{
	for (unsigned int i = 0; i < r->n_hosts && fn; i++) {
		const struct e4d_source *d = &r->hosts[i];

		for (size_t k = 0; k < d->losses.count; k++)
			fn(ctx, i, d->texts.text + d->losses.word[k].text, d->losses.word[k].value);
	}
}

void e4d_trace_marks(const struct e4d_trace_reader *r,
                     void (*fn)(void *ctx, unsigned int host, uint64_t boot_ns, const char *text),
                     void *ctx)
{
	for (unsigned int i = 0; i < r->n_hosts && fn; i++) {
		const struct e4d_source *d = &r->hosts[i];

		for (size_t k = 0; k < d->marks.count; k++)
			fn(ctx, i, d->marks.word[k].value, d->texts.text + d->marks.word[k].text);
	}
}

void e4d_trace_close(struct e4d_trace_reader *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < r->n_lanes; i++)
		e4d_track_close(&r->lanes[i].track);
	for (unsigned int i = 0; i < r->n_hosts; i++)
		e4d_source_close(&r->hosts[i]);
	free(r->lanes);
	free(r->next_ns);
	free(r->winner);
	free(r->hosts);
	free(r->last);
	free(r);
}
