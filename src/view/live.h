/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#ifndef E4D_VIEW_LIVE_H
#define E4D_VIEW_LIVE_H

#include "filter/filter.h"
#include "probe/attach.h"
#include "view/feed.h"

struct e4d_live_opts {
	enum e4d_tier tier; /* E4D_TIER_NONE: the best */
	struct e4d_limits limits;
	const struct e4d_filter *filter; /* what of it can be, is applied in the kernel */
};

/* 0, or negative errno with the reason and its remedy in why. feed->ops->close() frees it. */
int e4d_feed_live(struct e4d_feed **out, const struct e4d_live_opts *o, char *why, size_t why_len);

#endif
