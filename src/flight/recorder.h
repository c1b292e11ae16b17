/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The flight recorder: `record --flight`. */
#ifndef E4D_FLIGHT_RECORDER_H
#define E4D_FLIGHT_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include "cmd/cmd.h"

struct e4d_flight_opts {
	bool on;
	bool tuned;         /* something else of it was given */
	bool once;          /* ends after the dump of the first finding */
	bool pin;           /* goes on when the process dies */
	const char *bpffs;  /* where it is pinned; NULL: /sys/fs/bpf */
	uint64_t bytes;     /* of the ring, at most E4D_FLIGHT_MOST */
	uint64_t after_ns;  /* from a finding to its dump */
	unsigned int dumps; /* for findings, at most */
};

#define E4D_FLIGHT_MOST (1u << 30)
#define E4D_FLIGHT_DEFAULTS                                                                        \
	{                                                                                          \
		.bytes = 16u << 20, .after_ns = 5000000000ULL, .dumps = 16                         \
	}

/*
 * Records until a signal or the duration ends it; dir gets a dump for each reason to
 * make one. options: as they were given, for the dumps. The exit code.
 */
int e4d_flight_run(const struct e4d_opts *opts, const struct e4d_flight_opts *flight,
                   const char *dir, const char *options);

#endif
