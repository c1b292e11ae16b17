/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What a flight recorder's ring holds, as a trace dump on disk. */
#ifndef E4D_FLIGHT_DUMP_H
#define E4D_FLIGHT_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "trace/writer.h"

struct e4d_session;
struct e4d_filter;
struct e4d_paths;

/* Where and of what; the strings are the caller's. */
struct e4d_flight_dump {
	const char *dir; /* is made, or is there and empty */
	const char *why; /* it is made: a mark in the dump */
	struct e4d_trace_info info;
	const struct e4d_filter *filter; /* NULL: all */
	struct e4d_paths *paths;
};

struct e4d_flight_counts {
	uint64_t written;     /* events, since the session began */
	uint64_t kept;        /* of these, in the ring */
	uint64_t dumped;      /* of these, by the filter */
	uint64_t overwritten; /* written and not kept */
	uint64_t torn;        /* pages that were taken anew while they were read: among those */
	uint64_t findings;    /* among those dumped; with strict exposure too */
	uint64_t unknown;
	uint64_t from_ns, to_ns; /* of those kept, CLOCK_BOOTTIME; 0: none */
};

/*
 * Writes the dump; the ring goes on meanwhile. Reads the misses first: what overlaps
 * one is `unknown`. 0, or negative errno with the reason in why.
 */
int e4d_flight_dump(struct e4d_session *s, const struct e4d_flight_dump *d, bool strict,
                    struct e4d_flight_counts *counts, char *why, size_t why_len);

/* Puts what the dump's `env` says into the ring's first page of user space's, for memory images. */
int e4d_flight_sign(struct e4d_session *s, const struct e4d_trace_info *info);

/* What it says there. 0 or -EPROTO. */
int e4d_flight_signed(const struct e4d_session *s, struct e4d_ev_session *said);

/* Says the counts in a line: "12345 events written, ...". */
void e4d_flight_describe(const struct e4d_flight_counts *c, char *buf, size_t len);

#endif
