/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A page that is missing until somebody touches it. */
#ifndef E4D_WORKLOAD_HOLD_H
#define E4D_WORKLOAD_HOLD_H

#include "workload/workload.h"

struct wl_hold {
	uint8_t *page;                      /* of a private anonymous mapping, never touched */
	const void *content;                /* WL_PAGE bytes that it will hold */
	void (*touched)(struct wl_hold *h); /* in a thread of its own, once */
	int uffd;
};

/* `h` lives as long as the process. Returns 0 or -errno: no userfaultfd, no privilege. */
int wl_hold_arm(struct wl_hold *h);

/* Who waits for the page goes on. */
void wl_hold_give(struct wl_hold *h);

#endif
