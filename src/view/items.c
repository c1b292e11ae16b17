/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "view/items.h"

int e4d_items_init(struct e4d_items *t, uint32_t cap)
{
	uint32_t places = 1;

	while (places < 2 * cap)
		places *= 2;
	memset(t, 0, sizeof(*t));
	t->row = calloc(cap, sizeof(*t->row));
	t->index = calloc(places, sizeof(*t->index));
	t->cap = cap;
	t->mask = places - 1;
	t->other.other = true;
	if (t->row && t->index)
		return 0;
	e4d_items_free(t);
	return -ENOMEM;
}

void e4d_items_clear(struct e4d_items *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		free(t->row[i].path);
	t->n = 0;
	memset(t->index, 0, (t->mask + 1) * sizeof(*t->index));
	memset(&t->other, 0, sizeof(t->other));
	t->other.other = true;
}

void e4d_items_free(struct e4d_items *t)
{
	for (uint32_t i = 0; t->row && i < t->n; i++)
		free(t->row[i].path);
	free(t->row);
	free(t->index);
	memset(t, 0, sizeof(*t));
}

static uint32_t home(const struct e4d_items *t, const struct e4d_item_key *k)
{
	uint64_t h =
		(k->id ^ (uint64_t)k->dev << 40 ^ (uint64_t)k->gen << 20) * 0x9e3779b97f4a7c15ULL;

	return (uint32_t)(h >> 32) & t->mask;
}

static bool same(const struct e4d_item_key *a, const struct e4d_item_key *b)
{
	return a->id == b->id && a->dev == b->dev && a->gen == b->gen;
}

/* Where the key is, or where it would be. The index is at most half full. */
static uint32_t *place(const struct e4d_items *t, const struct e4d_item_key *key)
{
	uint32_t at = home(t, key);

	while (t->index[at] && !same(&t->row[t->index[at] - 1].key, key))
		at = (at + 1) & t->mask;
	return &t->index[at];
}

struct e4d_item *e4d_items_find(const struct e4d_items *t, const struct e4d_item_key *key)
{
	uint32_t i = *place(t, key);

	return i ? &t->row[i - 1] : NULL;
}

struct e4d_item *e4d_items_get(struct e4d_items *t, const struct e4d_item_key *key)
{
	uint32_t *at = place(t, key);
	struct e4d_item *r;

	if (*at)
		return &t->row[*at - 1];
	if (t->n == t->cap)
		return NULL;
	r = &t->row[t->n++];
	memset(r, 0, sizeof(*r));
	r->key = *key;
	*at = t->n;
	return r;
}

void e4d_items_sweep(struct e4d_items *t, uint32_t refresh)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		struct e4d_item *r = &t->row[i];

		if (r->seen != refresh) {
			free(r->path);
			continue;
		}
		if (kept != i)
			t->row[kept] = *r;
		kept++;
	}
	if (kept == t->n)
		return;
	t->n = kept;
	memset(t->index, 0, (t->mask + 1) * sizeof(*t->index));
	for (uint32_t i = 0; i < kept; i++)
		*place(t, &t->row[i].key) = i + 1;
}

void e4d_item_wrote(struct e4d_item *item, uint32_t pid)
{
	size_t at = 0;

	while (at < E4D_WRITERS - 1 && item->wrote[at] && item->wrote[at] != pid)
		at++;
	memmove(item->wrote + 1, item->wrote, at * sizeof(*item->wrote));
	item->wrote[0] = pid;
}
