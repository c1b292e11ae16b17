/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <string.h>

#include "trace/source.h"

void e4d_track_init(struct e4d_track *s, struct e4d_source *d, size_t first)
{
	memset(s, 0, sizeof(*s));
	s->dump = d;
	s->in.fd = -1;
	s->first = s->file = s->last = first;
	while (s->last < d->n_files && d->files[s->last].instance == d->files[first].instance)
		s->last++;
}

/* A packet that is whole, but of another trace or stream, a copy, or out of order. */
static bool belongs(const struct e4d_track *s, const struct e4d_packet *p)
{
	struct e4d_source *d = s->dump;

	if (!d->has_uuid) {
		memcpy(d->host.uuid, p->uuid, sizeof(p->uuid));
		d->has_uuid = true;
	}
	if (memcmp(d->host.uuid, p->uuid, sizeof(p->uuid)) ||
	    p->stream_instance_id != d->files[s->first].instance)
		return false;
	return !s->has_packet || (p->packet_seq_num > s->seq && p->timestamp_begin >= s->last_ns);
}

static void count(struct e4d_track *s, const struct e4d_packet *p)
{
	if (s->has_packet)
		s->missing += p->packet_seq_num - s->seq - 1;
	s->packets++;
	s->has_packet = true;
	s->seq = p->packet_seq_num;
	s->last_ns = p->timestamp_end;
	if (p->events_discarded > s->discarded)
		s->discarded = p->events_discarded;
}

int e4d_track_packet(struct e4d_track *s, const struct e4d_packet **p)
{
	for (;;) {
		int rc;

		if (!s->open) {
			if (s->file == s->last)
				return 0;
			rc = e4d_input_open(&s->in, s->dump->dirfd, s->dump->files[s->file].name);
			if (rc)
				return rc;
			s->open = true;
		}
		rc = e4d_input_packet(&s->in, p);
		if (rc < 0)
			return rc;
		if (!rc) {
			e4d_input_close(&s->in);
			s->open = false;
			s->file++;
		} else if (belongs(s, *p)) {
			count(s, *p);
			return 1;
		} else {
			s->strangers++;
			s->in.bad_bytes += e4d_packet_bytes(*p);
		}
	}
}

/* When a file begins; UINT64_MAX: no later packet is there. */
static uint64_t begins(struct e4d_track *s, size_t file)
{
	for (; file < s->last; file++) {
		struct e4d_source_file *f = &s->dump->files[file];

		if (!f->asked) {
			const struct e4d_packet *p;
			struct e4d_input in = {.fd = -1};

			f->asked = true;
			if (!e4d_input_open(&in, s->dump->dirfd, f->name) &&
			    e4d_input_packet(&in, &p) > 0) {
				f->first_known = true;
				f->first_ns = p->timestamp_begin;
			}
			e4d_input_close(&in);
			e4d_input_free(&in);
		}
		if (f->first_known)
			return f->first_ns;
	}
	return UINT64_MAX;
}

void e4d_track_seek(struct e4d_track *s, uint64_t boot_ns)
{
	size_t low = s->first, high = s->last;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (begins(s, mid) < boot_ns)
			low = mid;
		else
			high = mid;
	}
	e4d_input_close(&s->in);
	memset(s->in.count, 0, sizeof(s->in.count));
	s->in.bad_bytes = 0;
	s->open = s->has_packet = false;
	s->packets = s->missing = s->discarded = s->strangers = 0;
	s->file = low;
	if (!e4d_input_open(&s->in, s->dump->dirfd, s->dump->files[low].name)) {
		s->open = true;
		e4d_input_skip_before(&s->in, boot_ns);
	}
}

uint64_t e4d_track_last_ns(const struct e4d_track *s)
{
	struct e4d_input in = {.fd = -1};
	const struct e4d_packet *p;
	uint64_t last = 0;

	for (size_t file = s->last; file > s->first && !last; file--) {
		if (!e4d_input_open(&in, s->dump->dirfd, s->dump->files[file - 1].name)) {
			e4d_input_skip_before(&in, UINT64_MAX);
			while (e4d_input_packet(&in, &p) > 0)
				last = p->timestamp_end;
		}
		e4d_input_close(&in);
	}
	e4d_input_free(&in);
	return last;
}

void e4d_track_close(struct e4d_track *s)
{
	e4d_input_close(&s->in);
	e4d_input_free(&s->in);
	s->open = false;
}
