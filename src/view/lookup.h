/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Names of many files at once, looked up by a process of its own: a disk may hang. */
#ifndef E4D_VIEW_LOOKUP_H
#define E4D_VIEW_LOOKUP_H

#include "view/feed.h"
#include "view/items.h"

/* No answer is waited for longer, all names together. */
#define E4D_LOOKUP_MS 1000

/*
 * Sets the path of each row of t that has none, by its key and `last`, as far as answers
 * come in time. Returns how many still have none.
 */
uint32_t e4d_lookup(struct e4d_feed *feed, struct e4d_items *t);

#endif
