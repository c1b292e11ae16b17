/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#ifndef E4D_VIEW_REPLAY_H
#define E4D_VIEW_REPLAY_H

#include "filter/filter.h"
#include "view/feed.h"

/*
 * A feed that replays of a trace dump what the filter (the caller's; NULL: all) lets
 * through, standing at its beginning. 0, or negative errno with the reason and its remedy
 * in why. feed->ops->close() frees it.
 */
int e4d_feed_replay(struct e4d_feed **out, const char *dir, const struct e4d_filter *filter,
                    char *why, size_t why_len);

#endif
