/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A clean dump out of anything that packets may lie in: a damaged dump or a file of it,
 * a memory image, a raw disk. Found by their signature, believed by their CRC, each
 * copied once as it was.
 */
#ifndef E4D_TRACE_SALVAGE_H
#define E4D_TRACE_SALVAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "trace.h"
#include "trace/verify.h"

struct e4d_salvage;

/* What was found of one trace. */
struct e4d_salvage_trace {
	uint8_t uuid[16];
	bool has_session;
	struct e4d_ev_session session; /* strings "" where it was not found */
	char dir[512];                 /* where it was written */
};

#define E4D_SALVAGE_GAPS 4

/* And of one stream of it. */
struct e4d_salvage_stream {
	const struct e4d_salvage_trace *trace;
	uint32_t instance;
	uint64_t packets, events, bytes; /* written */
	uint64_t pages;                  /* of these packets: made from a flight ring's pages */
	uint64_t first, last;            /* packet_seq_num */
	uint64_t missing;                /* between the two */
	unsigned int gaps;               /* runs of missing ones; the first of them: */
	struct {
		uint64_t from, to;
	} gap[E4D_SALVAGE_GAPS];
	uint64_t backwards; /* left out: before the packet that came before */
};

struct e4d_salvage_sum {
	uint64_t bytes; /* looked at, after decompression */
	uint64_t packets, events, copies;
	uint64_t bad[E4D_PACKET_STATES]; /* NONE: runs of bytes that are no packet */
	uint64_t unread;                 /* files that could not be read */
};

/*
 * Makes dir, new or empty, for what is found. Called back as it goes on: done of total
 * bytes. 0 or negative errno with the reason and its remedy in why.
 */
int e4d_salvage_open(struct e4d_salvage **out, const char *dir,
                     void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                     char *why, size_t why_len);

/*
 * Looks through a file, or all files of a directory. 0 or negative errno with the reason in
 * why; a file of a directory that cannot be read is told, counted and passed.
 */
int e4d_salvage_scan(struct e4d_salvage *s, const char *path, char *why, size_t why_len);

/* Writes what was found: one trace to dir itself, several to dir/UUID each. */
int e4d_salvage_write(struct e4d_salvage *s, char *why, size_t why_len);

/* What was written; streams by trace and instance. */
const struct e4d_salvage_sum *e4d_salvage_sum(const struct e4d_salvage *s);
const struct e4d_salvage_stream *e4d_salvage_streams(const struct e4d_salvage *s, size_t *n);

void e4d_salvage_close(struct e4d_salvage *s);

#endif
