/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Packets to files: when a rotation ends, and what the dump's bound costs. */
#include <errno.h>
#include <string.h>

#include "trace/internal.h"
#include "trace/worker.h"

#define RESERVE (64u << 10) /* of max_bytes, for what the session says at its end */
#define SLACK   8192u       /* that a packet's header and padding take at most */

int e4d_flush(struct e4d_trace_writer *w, struct e4d_stream *s)
{
	struct e4d_packet head = {
		.stream_instance_id = s->instance,
		.packet_seq_num = s->seq,
		.events_discarded = s == &w->own ? w->discarded : 0,
	};
	size_t size;

	if (w->err || !s->packet.events)
		return w->err;
	memcpy(head.uuid, w->uuid, sizeof(head.uuid));
	size = e4d_packet_seal(&s->packet, &head);
	w->err = size ? e4d_dump_append(&w->dump, s, s->packet.data, size) : -ENOMEM;
	if (w->err)
		return w->err;
	s->seq++;
	s->floor = s->packet.last + 1; /* who sorts packets by their begin finds one order */
	w->packets++;
	w->events += s->packet.events;
	w->held -= s->packet.len - sizeof(head);
	e4d_packet_reset(&s->packet);
	return 0;
}

void e4d_flush_cpus(struct e4d_trace_writer *w)
{
	for (unsigned int i = 0; i < w->cpus; i++)
		if (w->cpu[i])
			e4d_flush(w, w->cpu[i]);
}

static void end_file(struct e4d_trace_writer *w, struct e4d_stream *s)
{
	char name[E4D_TRACE_NAME];

	if (e4d_dump_end_file(&w->dump, s, name) && w->limits.zstd)
		e4d_worker_compress(w->worker, name);
}

void e4d_end_files(struct e4d_trace_writer *w)
{
	for (unsigned int i = 0; i < w->cpus; i++)
		if (w->cpu[i])
			end_file(w, w->cpu[i]);
	end_file(w, &w->own);
}

int e4d_rotate(struct e4d_trace_writer *w)
{
	e4d_flush_cpus(w);
	if (e4d_flush(w, &w->own))
		return w->err;
	e4d_end_files(w);
	w->dump.rotation++;
	w->dump.current = 0;
	w->began = w->now;
	if (w->limits.keep && w->dump.rotation >= w->oldest + w->limits.keep) {
		w->oldest = w->dump.rotation + 1 - w->limits.keep;
		e4d_worker_remove(w->worker, w->oldest);
	}
	e4d_known_forget(&w->known);
	return e4d_put_session(w);
}

bool e4d_rotation_is_due(const struct e4d_trace_writer *w)
{
	const struct e4d_trace_limits *l = &w->limits;

	return (l->rotate_bytes && w->dump.current + w->held >= l->rotate_bytes) ||
	       (l->rotate_ns && w->now > w->began && w->now - w->began >= l->rotate_ns);
}

static uint64_t size_on_disk(const struct e4d_trace_writer *w)
{
	return e4d_dump_bytes(&w->dump) + w->held + (uint64_t)SLACK * w->streams + RESERVE;
}

/* The dump is near its bound: the oldest rotation goes, and not the one being written. */
static void remove_oldest(struct e4d_trace_writer *w)
{
	if (!e4d_worker_removed(w->worker) || (w->oldest == w->dump.rotation && e4d_rotate(w)))
		return;
	if (w->oldest < w->dump.rotation)
		e4d_worker_remove(w->worker, ++w->oldest);
}

bool e4d_is_full(struct e4d_trace_writer *w)
{
	const struct e4d_trace_limits *l = &w->limits;

	if (!l->max_bytes || size_on_disk(w) <= l->max_bytes - l->max_bytes / 8)
		return false;
	if (l->max_bytes / 2 < (uint64_t)SLACK * w->streams + RESERVE)
		w->full = true; /* too small for so many CPUs */
	else if (l->keep)
		remove_oldest(w);
	while (size_on_disk(w) > l->max_bytes && !w->full && !w->err) {
		if (l->keep && w->oldest < w->dump.rotation) {
			remove_oldest(w);
			e4d_worker_wait_removed(w->worker);
		} else if (w->worker && !e4d_worker_idle(w->worker)) {
			e4d_worker_wait(w->worker);
		} else {
			w->full = true;
		}
	}
	return w->full || w->err;
}
