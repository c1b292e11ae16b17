/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "view/detail.h"

static unsigned int log2_row(uint32_t v)
{
	return v ? 1 + e4d_log2(v) : 0;
}

static void count(struct e4d_detail *d, const struct e4d_record *rec)
{
	d->write[d->count++ % E4D_DETAIL_WRITES] = *rec;
	d->submitted[log2_row(rec->submitted)]++;
	d->mapped[log2_row(rec->mapped)]++;
	d->latency[e4d_latency_of(rec)]++;
	d->id.pid = rec->pid;
	memcpy(d->id.comm, rec->comm, sizeof(d->id.comm));
}

static bool is_of(const struct e4d_detail *d, const struct e4d_record *rec)
{
	return rec->ino == d->id.ino && rec->dev == d->id.dev &&
	       (rec->gen == d->id.gen || !d->id.gen);
}

/* Where every write comes, those of the main stream come twice. */
static void on_write(void *ctx, const struct e4d_fed *w)
{
	struct e4d_detail *d = ctx;

	if (w->watched == d->watching && !d->m->paused && is_of(d, w->rec))
		count(d, w->rec);
}

static void take_over(struct e4d_detail *d)
{
	const struct e4d_model *m = d->m;
	uint64_t first = m->writes_n > E4D_VIEW_WRITES ? m->writes_n - E4D_VIEW_WRITES : 0;

	for (uint64_t i = first; i < m->writes_n; i++)
		if (is_of(d, &m->writes[i % E4D_VIEW_WRITES]))
			count(d, &m->writes[i % E4D_VIEW_WRITES]);
}

static void start_watching(struct e4d_detail *d)
{
	struct e4d_feed *feed = d->m->feed;
	char why[256] = "";

	d->since_ns = feed->ops->now(feed);
	if (feed->replay) /* what the dump has, comes anyway */
		return;
	if (!feed->ops->watch(feed, &d->id, why, sizeof(why)))
		d->watching = true;
	else
		snprintf(d->why, sizeof(d->why), "%s", why);
}

void e4d_detail_open(struct e4d_detail *d, struct e4d_model *m, const struct e4d_record *id,
                     const char *path)
{
	const char *found = path;

	e4d_detail_close(d);
	d->open = true;
	d->m = m;
	d->id = *id;
	if (!found)
		found = m->feed->ops->path(m->feed, id);
	if (found)
		d->path = strdup(found);
	take_over(d);
	start_watching(d);
	if (m->feed->replay) { /* the file is another machine's, or another day's */
		d->asked = -1;
		d->facts.err = -EREMOTE;
		d->facts.there = true;
	} else {
		d->asked = e4d_facts_ask(&d->id, d->path);
		if (d->asked < 0) {
			d->facts.err = d->asked;
			d->facts.there = true;
		}
	}
	m->on_write = on_write;
	m->on_write_ctx = d;
}

void e4d_detail_close(struct e4d_detail *d)
{
	if (!d->open)
		return;
	d->m->on_write = NULL;
	if (d->watching)
		d->m->feed->ops->watch(d->m->feed, NULL, NULL, 0);
	if (d->asked >= 0 && !d->facts.there)
		close(d->asked);
	free(d->path);
	memset(d, 0, sizeof(*d));
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
	e4d_detail_text(d, E4D_DETAIL_COLS, false, &ob);
	err = e4d_ob_flush(&ob, fd);
	e4d_ob_free(&ob);
	if (close(fd) && !err)
		err = -errno;
	return err;
}
