/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Rows by key, bounded: files, processes, file systems. */
#ifndef E4D_VIEW_ITEMS_H
#define E4D_VIEW_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "record.h"
#include "session/figures.h"

struct e4d_item_key {
	uint64_t id; /* inode number, thread group, or dev */
	uint32_t dev, gen;
};

#define E4D_WRITERS 8 /* that are remembered of a file */

struct e4d_item {
	struct e4d_item_key key;
	bool other;       /* all that has no row */
	uint32_t seen;    /* the refresh that gave it last */
	uint32_t members; /* of a file system: files */
	uint32_t in_flight;
	/* totals: at this refresh, at the one before, and when it was set to zero */
	struct e4d_figures now, before, base;
	/* of its writes that left a record */
	bool recorded;
	uint8_t worst;     /* verdict */
	uint32_t modes;    /* E4D_F_* that occurred */
	uint64_t past_eof; /* bytes that findings left, summed */
	struct e4d_record last;
	/* looked up when it is shown */
	uint32_t pid;
	uint32_t wrote[E4D_WRITERS]; /* who was seen to write to a file, the last first; 0: none */
	char comm[E4D_COMM_LEN];
	char *path;        /* owned; NULL: not known */
	uint64_t asked_ns; /* when it was last looked for */
};

struct e4d_items {
	struct e4d_item *row;
	uint32_t n, cap;
	uint32_t *index; /* of row + 1, by hash; 0: free */
	uint32_t mask;
	struct e4d_item other;
};

/* 0 or -ENOMEM. Memory is used as rows come. */
int e4d_items_init(struct e4d_items *t, uint32_t cap);
void e4d_items_free(struct e4d_items *t);

/* Forgets all rows. */
void e4d_items_clear(struct e4d_items *t);

/* NULL: there is none. */
struct e4d_item *e4d_items_find(const struct e4d_items *t, const struct e4d_item_key *key);

/* The row, new where there was none; NULL when the table is full. */
struct e4d_item *e4d_items_get(struct e4d_items *t, const struct e4d_item_key *key);

/* pid was seen to write to it. */
void e4d_item_wrote(struct e4d_item *item, uint32_t pid);

/* Forgets rows that this refresh did not give. */
void e4d_items_sweep(struct e4d_items *t, uint32_t refresh);

#endif
