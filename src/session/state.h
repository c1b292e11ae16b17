/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What a session is made of; only for session.c, which runs it, and read.c. */
#ifndef E4D_SESSION_STATE_H
#define E4D_SESSION_STATE_H

#include <bpf/libbpf.h>
#include "session/doubts.h"
#include "session/feed.h"
#include "session/pending.h"
#include "session/ring.h"
#include "session/session.h"
#include "shared.h"
#include "util/clock.h"

struct e4d_session {
	struct e4d_session_opts opts;
	struct e4d_kernel kernel;
	struct e4d_attached att;
	struct e4d_ring ring;
	struct ring_buffer *buffer; /* in its place where the kernel has no fetch-and-add */
	struct e4d_shared *shared;  /* mapped */
	int rows;                   /* of its counters in use */
	struct e4d_pending pending;
	struct e4d_doubts doubts;
	struct e4d_feed feed; /* with cfg.files */
	uint64_t consumed;
	struct e4d_counters settled; /* what the kernel side would have counted */
	struct e4d_record *batch;    /* of the buffer, and settled */
	size_t batch_n, batch_cap;
	uint64_t ring_cap;     /* slots of a row, or records that fit the buffer */
	uint64_t delivered_ns; /* the last delivery */
	int wait_ms;
	bool stopped;
};

#endif
