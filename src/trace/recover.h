/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Salvage's parts: salvage.c finds, recover.c puts in order and writes. */
#ifndef E4D_TRACE_RECOVER_H
#define E4D_TRACE_RECOVER_H

#include "trace/input.h"
#include "trace/internal.h"
#include "trace/salvage.h"

/* A packet, or a page of a flight ring, in the file of what was found. */
struct e4d_found {
	uint64_t seq, at;
	uint32_t trace, instance, size, events;
	bool page;
};

struct e4d_salvage {
	char *dir;
	struct e4d_dump out;
	int found; /* the file of what was found */
	uint64_t found_bytes;
	struct e4d_input in;
	struct e4d_found *items;
	size_t n_items, cap_items;
	struct e4d_salvage_trace *traces;
	size_t n_traces;
	struct e4d_salvage_stream *streams;
	size_t n_streams;
	struct e4d_salvage_sum sum;
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *progress_ctx;
	uint64_t done, total;
};

/* seq, instance, size and events of a whole packet or page. */
void e4d_found_fill(struct e4d_found *f, const struct e4d_packet *p);

/* E4D_FLIGHT_PAGE, or 0. */
size_t e4d_is_flight_page(const void *buf, size_t n);

#endif
