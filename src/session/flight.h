/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Writes under way, read from the tables that the programs keep. What is read
 * changes meanwhile: each entry is copied, and given only if it is still the
 * same afterwards.
 */
#ifndef E4D_FLIGHT_H
#define E4D_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include "session/pending.h"
#include "session/sums.h"

/* What is known of a write under way; the fields of what is not are 0. */
enum e4d_flight_known {
	E4D_FLIGHT_FILE = 1u << 0,   /* dev, ino, gen */
	E4D_FLIGHT_THREAD = 1u << 1, /* pid, tid */
	E4D_FLIGHT_OFFSET = 1u << 2, /* offset, flags */
	E4D_FLIGHT_MAPPED = 1u << 3, /* mapped */
};

struct e4d_flight {
	uint64_t begin_ns; /* CLOCK_BOOTTIME */
	uint64_t ino;
	uint32_t dev, gen;
	uint32_t pid, tid;
	uint64_t offset;    /* bytes */
	uint32_t submitted; /* bytes; always known */
	uint32_t mapped;    /* bytes, so far */
	uint32_t flags;     /* E4D_F_* */
	uint32_t known;     /* enum e4d_flight_known */
	bool waits; /* complete (before 6.6: perhaps), but a trim or a fallback may follow */
	/* tracepoint tier: may have ended without a completion, and nothing tells */
	bool doubtful;
};

typedef void e4d_flight_fn(void *ctx, const struct e4d_flight *f);

struct e4d_flights {
	const struct e4d_pending *pending;
	const struct e4d_shared *shared;
	const struct e4d_table *files; /* or NULL */
	enum e4d_tier tier;
	bool all; /* cfg.all: plain writes are known as a whole */
};

/* Calls fn for each, in no order. */
void e4d_flights_read(const struct e4d_flights *f, e4d_flight_fn *fn, void *ctx);

#endif
