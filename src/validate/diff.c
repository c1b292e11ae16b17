/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "validate/diff.h"

#define ABSENT (E4D_V_SKIP + 1)

const char *e4d_vchange_word(enum e4d_vchange c)
{
	static const char *const words[] = {"broken", "mended",   "otherwise", "fails",  "new",
	                                    "tested", "untested", "vanished",  "passes", "skipped"};

	return words[c];
}

enum e4d_vchange e4d_vchange_of(const struct e4d_vsaved_case *old,
                                const struct e4d_vsaved_case *new)
{
	static const enum e4d_vchange changes[][ABSENT + 1] = {
		/* now:           passes,        fails,         is skipped,     not there */
		[E4D_V_PASS] = {E4D_V_PASSES, E4D_V_BROKEN, E4D_V_UNTESTED, E4D_V_VANISHED},
		[E4D_V_FAIL] = {E4D_V_MENDED, E4D_V_FAILS, E4D_V_UNTESTED, E4D_V_VANISHED},
		[E4D_V_SKIP] = {E4D_V_TESTED, E4D_V_TESTED, E4D_V_SKIPPED, E4D_V_VANISHED},
		[ABSENT] = {E4D_V_NEW, E4D_V_NEW, E4D_V_NEW, E4D_V_VANISHED},
	};
	enum e4d_vchange c = changes[old ? old->kernel : ABSENT][new ? new->kernel : ABSENT];

	return c == E4D_V_FAILS && strcmp(old->why, new->why) ? E4D_V_OTHERWISE : c;
}

static int by_change(const void *a, const void *b)
{
	const struct e4d_vpair *x = a, *y = b;
	size_t i = x->new ? x->new->at : x->old->at, j = y->new ? y->new->at : y->old->at;

	if (x->change != y->change)
		return x->change < y->change ? -1 : 1;
	return i < j ? -1 : i > j;
}

static void add(struct e4d_vdiff *d, const struct e4d_vsaved_case *old,
                const struct e4d_vsaved_case *new)
{
	struct e4d_vpair *p = &d->pairs[d->count++];

	*p = (struct e4d_vpair){.name = new ? new->name : old->name,
	                        .old = old,
	                        .new = new,
	                        .change = e4d_vchange_of(old, new)};
	d->n[p->change]++;
	d->comparable += old && new && old->kernel != E4D_V_SKIP &&new->kernel != E4D_V_SKIP;
}

int e4d_vdiff_make(struct e4d_vdiff *d, const struct e4d_vsaved *old, const struct e4d_vsaved *new)
{
	memset(d, 0, sizeof(*d));
	d->old = old;
	d->new = new;
	d->pairs = calloc(old->count + new->count + 1, sizeof(*d->pairs));
	if (!d->pairs)
		return -ENOMEM;
	for (size_t i = 0; i < new->count; i++)
		add(d, e4d_vsaved_find(old, new->cases[i].name), &new->cases[i]);
	for (size_t i = 0; i < old->count; i++)
		if (!e4d_vsaved_find(new, old->cases[i].name))
			add(d, &old->cases[i], NULL);
	qsort(d->pairs, d->count, sizeof(*d->pairs), by_change);
	return 0;
}

void e4d_vdiff_free(struct e4d_vdiff *d)
{
	free(d->pairs);
	memset(d, 0, sizeof(*d));
}

enum e4d_exit e4d_vdiff_exit(const struct e4d_vdiff *d)
{
	if (d->n[E4D_V_BROKEN])
		return E4D_EXIT_FINDING;
	if (!d->comparable)
		return E4D_EXIT_NOTHING;
	return d->new->not_run || d->new->tool > E4D_V_AGREES ? E4D_EXIT_BLIND : E4D_EXIT_CLEAN;
}
