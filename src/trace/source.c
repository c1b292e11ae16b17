/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/source.h"

/* Decimal digits only, at most `max`; *s moves behind them. */
static bool number(const char **s, uint64_t max, uint64_t *out)
{
	const char *p = *s;

	*out = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		*out = *out * 10 + (uint64_t)(*p - '0');
		if (*out > max)
			return false;
	}
	if (p == *s)
		return false;
	*s = p;
	return true;
}

/* "cpu3-12", "session-0.zst": all else is somebody else's. */
static bool parse_name(const char *name, struct e4d_source_file *f)
{
	const char *s = name;
	uint64_t cpu = E4D_STREAM_SESSION;

	if (strlen(name) >= sizeof(f->name))
		return false;
	if (!strncmp(s, "cpu", 3)) {
		s += 3;
		if (!number(&s, E4D_STREAM_SESSION - 1, &cpu))
			return false;
	} else if (!strncmp(s, "session", 7)) {
		s += 7;
	} else {
		return false;
	}
	if (*s++ != '-' || !number(&s, UINT32_MAX, &f->rotation))
		return false;
	f->zstd = !strcmp(s, ".zst");
	if (*s && !f->zstd)
		return false;
	f->instance = (uint32_t)cpu;
	strcpy(f->name, name);
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct e4d_source_file *x = a, *y = b;

	if (x->instance != y->instance)
		return x->instance < y->instance ? -1 : 1;
	if (x->rotation != y->rotation)
		return x->rotation < y->rotation ? -1 : 1;
	return (int)x->zstd - (int)y->zstd;
}

static int list(struct e4d_source *d, DIR *dir)
{
	struct e4d_source_file f = {0}, *files;
	const struct dirent *e;
	size_t cap = 0, n = 0;

	while ((e = readdir(dir))) {
		if ((e->d_type != DT_REG && e->d_type != DT_UNKNOWN) || !parse_name(e->d_name, &f))
			continue;
		if (d->n_files == cap) {
			cap = cap ? 2 * cap : 64;
			files = realloc(d->files, cap * sizeof(*files));
			if (!files)
				return -ENOMEM;
			d->files = files;
		}
		d->files[d->n_files++] = f;
	}
	if (!d->n_files)
		return -ENOENT;
	qsort(d->files, d->n_files, sizeof(*d->files), by_place);
	/* both forms of one file: it was being compressed, and the plain one is whole */
	for (size_t i = 0; i < d->n_files; i++) {
		const struct e4d_source_file *at = &d->files[i];

		if (n && d->files[n - 1].instance == at->instance &&
		    d->files[n - 1].rotation == at->rotation)
			continue;
		d->files[n++] = *at;
	}
	d->n_files = n;
	return 0;
}

int e4d_source_open(struct e4d_source *d, const char *dir)
{
	DIR *stream;
	int err;

	d->dirfd = -1;
	d->host.host = d->session.host;
	d->host.kernel = d->session.kernel;
	d->host.program = d->session.program;
	d->host.options = d->session.options;
	d->host.no_end = true;
	d->dir = strdup(dir);
	d->host.dir = d->dir;
	if (!d->dir)
		return -ENOMEM;
	stream = opendir(dir);
	if (!stream)
		return -errno;
	d->dirfd = fcntl(dirfd(stream), F_DUPFD_CLOEXEC, 0);
	err = d->dirfd < 0 ? -errno : list(d, stream);
	closedir(stream);
	return err;
}

static int add_word(struct e4d_source *d, struct e4d_source_words *w, uint64_t value,
                    const char *text)
{
	uint32_t at = e4d_texts_add(&d->texts, text);
	struct e4d_source_word *more;

	if (!at)
		return 0;
	if (w->count == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 16;
		more = realloc(w->word, w->cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		w->word = more;
	}
	w->word[w->count++] = (struct e4d_source_word){.value = value, .text = at};
	return 0;
}

/* There are a few dozen names; a file that has more is up to no good. */
#define LOSS_NAMES 1024

static int put_loss(struct e4d_source *d, const struct e4d_ev_loss *e)
{
	struct e4d_source_words *w = &d->losses;

	for (size_t i = 0; i < w->count; i++) {
		if (strcmp(d->texts.text + w->word[i].text, e->name))
			continue;
		w->word[i].value = e->count;
		return 0;
	}
	return w->count < LOSS_NAMES ? add_word(d, w, e->count, e->name) : 0;
}

static int put_session(struct e4d_source *d, const struct e4d_ev_session *e)
{
	if (d->has_session)
		return 0;
	memcpy(&d->session, e, sizeof(d->session));
	d->has_session = true;
	d->host.tier = e->tier < E4D_TIER_COUNT ? e->tier : E4D_TIER_NONE;
	d->host.real_minus_boot_ns = (int64_t)e->real_minus_boot_ns;
	return 0;
}

static int put_event(struct e4d_source *d, const struct e4d_event *e)
{
	const struct e4d_ev_file *f = (const void *)e;

	switch (e->id) {
	case E4D_EV_FILE:
		return e4d_texts_put(&d->texts, f->dev, f->ino, f->gen, f->path);
	case E4D_EV_LOSS:
		return put_loss(d, (const void *)e);
	case E4D_EV_COUNTERS:
		memcpy(&d->host.last, e, sizeof(d->host.last));
		return 0;
	case E4D_EV_MARK:
		return add_word(d, &d->marks, e->timestamp, ((const struct e4d_ev_mark *)e)->text);
	case E4D_EV_SESSION:
		return put_session(d, (const void *)e);
	case E4D_EV_END:
		d->host.no_end = false;
		return 0;
	default:
		return 0;
	}
}

static int read_stream(struct e4d_source *d, struct e4d_track *s)
{
	const struct e4d_packet *p;
	const struct e4d_event *e;
	const void *end;
	int rc, err = 0;

	while (!err && (rc = e4d_track_packet(s, &p))) {
		if (rc < 0)
			return rc;
		for (e = e4d_packet_events(p, &end); (const void *)e < end && !err;
		     e = e4d_event_next(e))
			err = put_event(d, e);
	}
	return err;
}

int e4d_source_read_session(struct e4d_source *d)
{
	struct e4d_track s;
	size_t i = 0;
	int err;

	while (i < d->n_files && d->files[i].instance != E4D_STREAM_SESSION)
		i++;
	if (i == d->n_files)
		return 0;
	e4d_track_init(&s, d, i);
	err = read_stream(d, &s);
	d->packets = s.packets;
	d->missing = s.missing;
	d->discarded = s.discarded;
	d->bad_packets = e4d_input_bad(&s.in) + s.strangers;
	d->bad_bytes = s.in.bad_bytes;
	e4d_track_close(&s);
	return err;
}

void e4d_source_close(struct e4d_source *d)
{
	if (d->dirfd >= 0)
		close(d->dirfd);
	free(d->files);
	free(d->losses.word);
	free(d->marks.word);
	free(d->dir);
	e4d_texts_free(&d->texts);
}
