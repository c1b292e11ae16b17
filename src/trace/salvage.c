/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Finds packets, and keeps them in a file without a name until their order is known. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/recover.h"
#include "util/log.h"

static int tmp_file(const struct e4d_dump *d)
{
	int fd = openat(d->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		fd = openat(d->dir, ".found", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		            0600);
		if (fd >= 0)
			unlinkat(d->dir, ".found", 0);
	}
	return fd < 0 ? -errno : fd;
}

int e4d_salvage_open(struct e4d_salvage **out, const char *dir,
                     void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                     char *why, size_t why_len)
{
	struct e4d_salvage *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	*out = NULL;
	snprintf(why, why_len, "out of memory");
	if (!s)
		return err;
	s->in.fd = s->found = s->out.dir = -1;
	s->progress = progress;
	s->progress_ctx = ctx;
	s->dir = strdup(dir);
	if (s->dir)
		err = e4d_dump_create(&s->out, dir, why, why_len);
	if (!err) {
		s->found = tmp_file(&s->out);
		err = s->found < 0 ? s->found : 0;
		if (err)
			snprintf(why, why_len, "%s: %s", dir, strerror(-err));
	}
	if (err)
		e4d_salvage_close(s);
	else
		*out = s;
	return err;
}

/* The trace of that uuid; a new one where it was not seen before. -1: no memory. */
static int trace_of(struct e4d_salvage *s, const uint8_t uuid[16])
{
	struct e4d_salvage_trace *more;

	for (size_t i = s->n_traces; i--;)
		if (!memcmp(s->traces[i].uuid, uuid, 16))
			return (int)i;
	more = realloc(s->traces, (s->n_traces + 1) * sizeof(*more));
	if (!more)
		return -1;
	s->traces = more;
	memset(&more[s->n_traces], 0, sizeof(*more));
	memcpy(more[s->n_traces].uuid, uuid, 16);
	return (int)s->n_traces++;
}

static void note_session(struct e4d_salvage_trace *t, const struct e4d_packet *p)
{
	const struct e4d_event *e;
	const void *end;

	for (e = e4d_packet_events(p, &end); (const void *)e < end && !t->has_session;
	     e = e4d_event_next(e))
		if (e->id == E4D_EV_SESSION) {
			memcpy(&t->session, e, sizeof(t->session));
			t->has_session = true;
		}
}

static int keep(struct e4d_salvage *s, const struct e4d_packet *p, bool page)
{
	struct e4d_found found = {.at = s->found_bytes, .page = page}, *f;
	int trace;

	e4d_found_fill(&found, p);
	if (page && !found.events)
		return 0; /* of the ring, and not used yet */
	trace = trace_of(s, p->uuid);
	if (trace < 0)
		return -ENOMEM;
	if (s->n_items == s->cap_items) {
		s->cap_items = s->cap_items ? 2 * s->cap_items : 256;
		f = realloc(s->items, s->cap_items * sizeof(*f));
		if (!f)
			return -ENOMEM;
		s->items = f;
	}
	f = &s->items[s->n_items];
	*f = found;
	f->trace = (uint32_t)trace;
	if (!page && f->instance == E4D_STREAM_SESSION)
		note_session(&s->traces[trace], p);
	if (pwrite(s->found, p, f->size, (off_t)f->at) != (ssize_t)f->size)
		return errno ? -errno : -ENOSPC;
	s->found_bytes += f->size;
	s->n_items++;
	return 0;
}

static void on_read(struct e4d_input *in)
{
	struct e4d_salvage *s = in->ctx;

	if (s->progress)
		s->progress(s->progress_ctx, s->done + in->at, s->total);
}

static int scan_input(struct e4d_salvage *s)
{
	const struct e4d_packet *p;
	int rc, err = 0;

	errno = 0;
	while (!err && (rc = e4d_input_packet(&s->in, &p)))
		if (rc > 0)
			err = keep(s, p, rc == 2);
		else if (rc != -EPROTO)
			err = rc;
	return err;
}

/* One file; *read_error: it is the input that cannot be read, and not the output. */
static int scan_file(struct e4d_salvage *s, int dirfd, const char *name, bool *input, char *why,
                     size_t why_len)
{
	int tmp = -1, err = e4d_input_open(&s->in, dirfd, name);

	*input = true;
	if (err) {
		snprintf(why, why_len, "%s: %s", name,
		         err == -EINVAL ? "no regular file, directory or block device"
		                        : strerror(-err));
		return err;
	}
	s->in.progress = on_read;
	s->in.also = e4d_is_flight_page;
	s->in.ctx = s;
	if (e4d_image_is_one(s->in.fd)) {
		char detail[256] = "out of memory";

		tmp = tmp_file(&s->out);
		err = e4d_image_open(&s->in, tmp, detail, sizeof(detail));
		if (err)
			snprintf(why, why_len, "%s: %s", name, detail);
	}
	if (!err) {
		s->total += s->in.image ? s->in.size : 0;
		err = scan_input(s);
		*input = false;
		if (err)
			snprintf(why, why_len, "%s: %s", s->dir, strerror(-err));
	}
	s->done += s->in.at;
	e4d_input_close(&s->in);
	if (tmp >= 0)
		close(tmp);
	return err;
}

/* All regular files but the metadata: also those of a name that no dump has. */
static int scan_dir(struct e4d_salvage *s, DIR *dir, const char *path, char *why, size_t why_len)
{
	const struct dirent *e;
	bool input;
	int err;

	while ((e = readdir(dir))) {
		struct stat st;

		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode) || !strcmp(e->d_name, "metadata"))
			continue;
		s->total += (uint64_t)st.st_size;
		err = scan_file(s, dirfd(dir), e->d_name, &input, why, why_len);
		if (err && !input)
			return err;
		if (err) {
			e4d_warn("%s/%s; it is left out", path, why);
			s->sum.unread++;
		}
	}
	return 0;
}

int e4d_salvage_scan(struct e4d_salvage *s, const char *path, char *why, size_t why_len)
{
	DIR *dir = opendir(path);
	struct stat st;
	bool input;
	int err;

	if (dir) {
		err = scan_dir(s, dir, path, why, why_len);
		closedir(dir);
		return err;
	}
	if (errno != ENOTDIR) {
		snprintf(why, why_len, "%s: %s", path, strerror(errno));
		return -errno;
	}
	if (!stat(path, &st))
		s->total += (uint64_t)st.st_size;
	return scan_file(s, AT_FDCWD, path, &input, why, why_len);
}

const struct e4d_salvage_sum *e4d_salvage_sum(const struct e4d_salvage *s)
{
	return &s->sum;
}

const struct e4d_salvage_stream *e4d_salvage_streams(const struct e4d_salvage *s, size_t *n)
{
	*n = s->n_streams;
	return s->streams;
}

void e4d_salvage_close(struct e4d_salvage *s)
{
	if (!s)
		return;
	e4d_input_close(&s->in);
	e4d_input_free(&s->in);
	if (s->found >= 0)
		close(s->found);
	e4d_dump_close(&s->out);
	free(s->items);
	free(s->traces);
	free(s->streams);
	free(s->dir);
	free(s);
}
