/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The view without a terminal: one table, JSON line or group of CSV lines for each interval. */
#ifndef E4D_VIEW_BATCH_H
#define E4D_VIEW_BATCH_H

#include "util/clock.h"
#include "util/outbuf.h"
#include "view/view.h"

enum e4d_batch_format { E4D_BATCH_TEXT, E4D_BATCH_JSON, E4D_BATCH_CSV };

struct e4d_batch {
	enum e4d_batch_format format;
	bool quiet;  /* no headers */
	bool color;  /* text: escape sequences for attributes */
	size_t rows; /* at most, 0: all */
	size_t cols; /* text: width */
	/* its own */
	bool begun;
	struct e4d_clock clock;
	struct e4d_frame frame;
};

/* Appends the pane as it is now. */
void e4d_batch_put(struct e4d_batch *b, struct e4d_view *v, struct e4d_outbuf *ob);
void e4d_batch_free(struct e4d_batch *b);

#endif
