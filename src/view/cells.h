/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What can stand in a cell, for the tables of columns. */
#ifndef E4D_VIEW_CELLS_H
#define E4D_VIEW_CELLS_H

#include "view/columns.h"

enum e4d_what {
	W_DEV,
	W_INO,
	W_FILE,
	W_PID,
	W_COMM,
	W_MODE,
	W_WRITES,
	W_SUBMITTED,
	W_MAPPED,
	W_OVER,
	W_EXTENDING,
	W_SHORT,
	W_ERRORS,
	W_INFLIGHT,
	W_P50,
	W_P99,
	W_PAST_EOF,
	W_VERDICT,
	W_MEMBERS,
	W_FINDINGS,
	/* of writes under way, and of findings */
	W_AGE,
	W_OFFSET,
	W_LENGTH,
	W_STATE,
	W_NEW,
	W_TIME,
	W_COUNT,
	W_RET,
	W_EVIDENCE,
};

typedef void e4d_cell_fn(const struct e4d_view *v, const void *item, uint8_t what,
                         struct e4d_cell *c);

/* Items (struct e4d_item): the figures of any; names of a file, a process, a file system. */
e4d_cell_fn e4d_cell_figure, e4d_cell_file, e4d_cell_proc, e4d_cell_fs;
/* struct e4d_flight, struct e4d_finding */
e4d_cell_fn e4d_cell_flight, e4d_cell_finding;

void e4d_cell_num(struct e4d_cell *c, enum e4d_figure_kind kind, double v);
void e4d_cell_str(struct e4d_cell *c, const char *s);
void e4d_cell_made(struct e4d_cell *c, double order);
void e4d_cell_inode(struct e4d_cell *c, uint64_t ino);
void e4d_cell_dev(struct e4d_cell *c, uint32_t dev);
void e4d_cell_modes(struct e4d_cell *c, uint32_t flags);
void e4d_cell_verdict(struct e4d_cell *c, uint8_t verdict, bool finding);

#endif
