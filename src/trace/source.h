/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* One dump: its directory, its streams, and what the session stream says. */
#ifndef E4D_TRACE_SOURCE_H
#define E4D_TRACE_SOURCE_H

#include "trace/input.h"
#include "trace/texts.h"
#include "trace/reader.h"

/* One rotation of one stream. */
struct e4d_source_file {
	uint32_t instance; /* the CPU, or E4D_STREAM_SESSION */
	uint64_t rotation;
	bool zstd, asked, first_known;
	uint64_t first_ns; /* of its first whole packet */
	char name[64];
};

/* A loss counter or a mark; text is an offset in the dump's texts. */
struct e4d_source_word {
	uint64_t value; /* count, or CLOCK_BOOTTIME ns */
	uint32_t text;
};

struct e4d_source_words {
	struct e4d_source_word *word;
	size_t count, cap;
};

struct e4d_source {
	struct e4d_trace_host host;
	char *dir;
	int dirfd;
	bool has_uuid, has_session;
	struct e4d_ev_session session;
	struct e4d_source_file *files; /* by instance and rotation */
	size_t n_files;
	struct e4d_texts texts;
	struct e4d_source_words losses, marks;
	uint64_t bad_packets, bad_bytes, packets, missing, discarded; /* of the session stream */
};

/* The packets of one stream, through all its files. Zero it, then e4d_track_init(). */
struct e4d_track {
	struct e4d_source *dump;
	struct e4d_input in;
	size_t first, last, file; /* in dump->files; last: one past */
	bool open, has_packet;
	uint64_t seq, last_ns; /* of the packet before */
	uint64_t packets, missing, discarded, strangers;
};

/* Opens the directory and lists its files: 0 or negative errno. d is zeroed; close it in any case.
 */
int e4d_source_open(struct e4d_source *d, const char *dir);

/* Reads the session stream: 0, or negative errno (-EPROTO: a newer major version). */
int e4d_source_read_session(struct e4d_source *d);
void e4d_source_close(struct e4d_source *d);

/* The stream that begins with dump->files[first]. */
void e4d_track_init(struct e4d_track *s, struct e4d_source *d, size_t first);

/*
 * The next whole packet that belongs there (uuid, instance, order), valid until the
 * next call: 1, 0 at the end, negative errno.
 */
int e4d_track_packet(struct e4d_track *s, const struct e4d_packet **p);

/* To where the first packet that ends at or after boot_ns is still to come; its counts begin anew.
 */
void e4d_track_seek(struct e4d_track *s, uint64_t boot_ns);

/* The end of the stream's last packet; 0: there is none. */
uint64_t e4d_track_last_ns(const struct e4d_track *s);

void e4d_track_close(struct e4d_track *s);

#endif
