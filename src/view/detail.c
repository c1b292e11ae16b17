/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "util/loss.h"
#include "verdict.h"
#include "view/detail.h"

#define ASK_AGAIN_NS 2000000000ULL

static unsigned int log2_row(uint32_t v)
{
	return v ? 1 + e4d_log2(v) : 0;
}

/* In the order of their begin: a stream has them in that of their end, and there are two. */
static void keep(struct e4d_timeline *t, const struct e4d_detail_write *w)
{
	uint64_t i = t->kept, first = i < E4D_DETAIL_WRITES ? 0 : i - E4D_DETAIL_WRITES + 1;

	if (first && w->rec.ts_ns < t->write[i % E4D_DETAIL_WRITES].rec.ts_ns)
		return; /* older than the oldest */
	for (; i > first; i--) {
		struct e4d_detail_write *before = &t->write[(i - 1) % E4D_DETAIL_WRITES];

		if (before->rec.ts_ns <= w->rec.ts_ns)
			break;
		t->write[i % E4D_DETAIL_WRITES] = *before;
	}
	t->write[i % E4D_DETAIL_WRITES] = *w;
	t->kept++;
}

static void count(struct e4d_timeline *t, const struct e4d_detail_write *w)
{
	t->count++;
	t->submitted[log2_row(w->rec.submitted)]++;
	t->mapped[log2_row(w->rec.mapped)]++;
	t->latency[e4d_latency_of(&w->rec)]++;
	keep(t, w);
}

static bool is_of(const struct e4d_detail *d, const struct e4d_record *rec)
{
	return rec->ino == d->id.ino && rec->dev == d->id.dev &&
	       (rec->gen == d->id.gen || !d->id.gen);
}

/*
 * Does the main stream have a record of it? As the kernel side decides in finish(), where
 * what was lost around it is not known yet.
 */
static bool in_main_stream(struct e4d_record r)
{
	bool empty_try = (r.flags & E4D_F_NOWAIT) && !(r.seen & E4D_SEEN_MAP) &&
	                 (!(r.seen & E4D_SEEN_RET) || r.ret == -EAGAIN);

	r.doubt &= (__u8)~E4D_DOUBT_LOST;
	r.verdict = e4d_verdict(&r);
	return e4d_is_suspicious(&r) || ((r.flags & E4D_F_EXTEND) && !empty_try);
}

/*
 * All of the main stream, so that no loss of the file's own hides a finding; of that one
 * the rest, from when it saw whole writes.
 */
static bool is_wanted(const struct e4d_detail *d, const struct e4d_fed *w)
{
	return is_of(d, w->rec) &&
	       (!w->watched || (w->rec->ts_ns >= d->since_ns && !in_main_stream(*w->rec)));
}

static bool overlap(const struct e4d_record *a, const struct e4d_record *b)
{
	return a->ts_ns <= b->ts_ns + b->latency_ns && b->ts_ns <= a->ts_ns + a->latency_ns;
}

/*
 * The same write from the other stream: user space settled it, or i_size moved between the
 * looks of the two at it, so that it extends for one of them only.
 */
static struct e4d_detail_write *twin(struct e4d_timeline *t, const struct e4d_detail_write *w)
{
	for (uint64_t i = 0; i < t->kept && i < E4D_DETAIL_WRITES; i++) {
		struct e4d_detail_write *o = &t->write[i];

		if (o->watched != w->watched && o->rec.tid == w->rec.tid &&
		    o->rec.offset == w->rec.offset && o->rec.submitted == w->rec.submitted &&
		    overlap(&o->rec, &w->rec))
			return o;
	}
	return NULL;
}

/* Where every write comes, those of the main stream perhaps twice. */
static void on_write(void *ctx, const struct e4d_fed *fed)
{
	struct e4d_detail_write w = {.rec = *fed->rec, .watched = fed->watched};
	struct e4d_detail *d = ctx;
	struct e4d_detail_write *same;

	if (!is_wanted(d, fed))
		return;
	same = twin(&d->gathered, &w);
	if (!same)
		count(&d->gathered, &w);
	if (!same || !same->watched)
		return;
	w.rec.ts_ns = same->rec.ts_ns; /* its place stays */
	*same = w;
}

/* The latest writes of all are not kept for long: that of the line it was opened from is. */
static void take_own(struct e4d_detail *d)
{
	const struct e4d_timeline *t = &d->gathered;
	struct e4d_detail_write w = {.rec = d->id};

	for (uint64_t i = 0; i < t->kept && i < E4D_DETAIL_WRITES; i++)
		if (t->write[i].rec.ts_ns == w.rec.ts_ns && t->write[i].rec.tid == w.rec.tid)
			return;
	if (w.rec.ts_ns)
		count(&d->gathered, &w);
}

static void take_over(struct e4d_detail *d)
{
	const struct e4d_model *m = d->m;
	uint64_t first = m->writes_n > E4D_VIEW_WRITES ? m->writes_n - E4D_VIEW_WRITES : 0;

	for (uint64_t i = first; i < m->writes_n; i++) {
		struct e4d_detail_write w = {.rec = m->writes[i % E4D_VIEW_WRITES]};

		if (is_of(d, &w.rec))
			count(&d->gathered, &w);
	}
	take_own(d);
}

static void start_watching(struct e4d_detail *d)
{
	struct e4d_feed *feed = d->m->feed;
	char why[256] = "";

	if (feed->replay) /* what the dump has, comes anyway */
		return;
	if (!feed->ops->watch(feed, &d->id, why, sizeof(why)))
		d->watching = true;
	else
		snprintf(d->why, sizeof(d->why), "%s", why);
	d->since_ns = feed->ops->now(feed);
}

const struct e4d_record *e4d_detail_last(const struct e4d_detail *d)
{
	const struct e4d_timeline *t = &d->shown;

	return t->kept ? &t->write[(t->kept - 1) % E4D_DETAIL_WRITES].rec : &d->id;
}

static void ask(struct e4d_detail *d)
{
	d->asked_ns = d->m->feed->ops->now(d->m->feed);
	d->asked = e4d_facts_ask(&d->facts, e4d_detail_last(d), d->path);
	if (d->asked < 0) {
		d->facts.err = d->asked;
		d->facts.there = true;
		d->asked = -1;
	}
}

static void on_loss(void *ctx, const char *name, uint64_t n)
{
	struct e4d_timeline *t = ctx;

	e4d_loss_append(t->losses, sizeof(t->losses), name, n);
}

void e4d_detail_refresh(struct e4d_detail *d)
{
	const struct e4d_feed_ops *ops = d->m->feed->ops;
	struct e4d_timeline *t = &d->gathered;
	bool still = d->m->paused && d->facts.there;

	if (d->asked >= 0 && !still && e4d_facts_take(d->asked, &d->facts))
		d->asked = -1;
	if (d->m->paused)
		return;
	t->losses[0] = 0;
	t->lost = d->watching ? ops->watch_losses(d->m->feed, on_loss, t) : 0;
	d->shown = *t;
	if (!d->m->feed->replay && d->asked < 0 &&
	    ops->now(d->m->feed) >= d->asked_ns + ASK_AGAIN_NS)
		ask(d);
}

void e4d_detail_open(struct e4d_detail *d, struct e4d_model *m, const struct e4d_record *id,
                     const char *path)
{
	const char *found = path;

	e4d_detail_close(d);
	d->open = true;
	d->m = m;
	d->id = *id;
	d->asked = -1;
	if (!found)
		found = m->feed->ops->path(m->feed, id);
	if (found)
		d->path = strdup(found);
	if (m->feed->ops->comm && id->pid)
		m->feed->ops->comm(m->feed, id->pid, d->id.comm);
	take_over(d);
	m->on_write = on_write; /* writes come while it attaches */
	m->on_write_ctx = d;
	start_watching(d);
	d->shown = d->gathered;
	if (m->feed->replay) { /* the file is another machine's, or another day's */
		d->facts.err = -EREMOTE;
		d->facts.there = true;
	} else {
		ask(d);
	}
}

void e4d_detail_close(struct e4d_detail *d)
{
	if (!d->open)
		return;
	d->m->on_write = NULL;
	if (d->watching)
		d->m->feed->ops->watch(d->m->feed, NULL, NULL, 0);
	if (d->asked >= 0)
		close(d->asked);
	free(d->path);
	memset(d, 0, sizeof(*d));
}

void e4d_detail_forget(struct e4d_detail *d)
{
	memset(&d->gathered, 0, sizeof(d->gathered));
}

/* Whose day it is, and which clock the timeline has. */
static void put_date(const struct e4d_feed *feed, struct e4d_outbuf *ob)
{
	time_t t = (time_t)(((int64_t)feed->ops->now(feed) + feed->boot_to_real_ns) / 1000000000);
	char text[96];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S, time zone %z (%Z)\n", &tm);
	e4d_ob_str(ob, text);
}

int e4d_detail_save(struct e4d_detail *d, char *name, size_t name_len)
{
	struct e4d_outbuf ob = {0};
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;
	int fd, err;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	snprintf(name, name_len, "ext4diotop-ino%llu-%s.txt", (unsigned long long)d->id.ino, stamp);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	put_date(d->m->feed, &ob);
	e4d_detail_text(d, E4D_DETAIL_COLS, false, &ob);
	err = e4d_ob_flush(&ob, fd);
	e4d_ob_free(&ob);
	if (close(fd) && !err)
		err = -errno;
	return err;
}
