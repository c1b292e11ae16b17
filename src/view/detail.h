/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * One file in detail: what the disk says of it, its last writes, how large and how
 * slow they were. As text, at most 100 columns: the screen and the file that goes
 * into a mail show the same.
 */
#ifndef E4D_VIEW_DETAIL_H
#define E4D_VIEW_DETAIL_H

#include "util/outbuf.h"
#include "view/facts.h"
#include "view/model.h"

#define E4D_DETAIL_WRITES 64
#define E4D_DETAIL_LOG2   33 /* 0, then by log2 of 32 bits */
#define E4D_DETAIL_COLS   100

struct e4d_detail {
	bool open;
	struct e4d_model *m;
	struct e4d_record id; /* dev, ino, gen; pid and comm of who was seen last */
	char *path;           /* owned; NULL: not known */
	struct e4d_facts facts;
	int asked;         /* where the facts come from; -1: they are there */
	bool watching;     /* every write comes, since since_ns */
	uint64_t since_ns; /* CLOCK_BOOTTIME */
	char why[256];     /* why not every write comes */
	uint64_t count;    /* writes seen: those kept by the model, and since then */
	struct e4d_record write[E4D_DETAIL_WRITES]; /* write i is at i % E4D_DETAIL_WRITES */
	uint64_t submitted[E4D_DETAIL_LOG2], mapped[E4D_DETAIL_LOG2], latency[E4D_LATENCIES];
};

/*
 * Opens it for the record's inode; path may be NULL. Takes over what the model still
 * has, asks the file system, and lets every write of the file be traced from now on.
 */
void e4d_detail_open(struct e4d_detail *d, struct e4d_model *m, const struct e4d_record *id,
                     const char *path);
void e4d_detail_close(struct e4d_detail *d);

/* Appends the whole as lines of at most `cols` columns; exact figures from 100 on. */
void e4d_detail_text(struct e4d_detail *d, size_t cols, bool utf8, struct e4d_outbuf *ob);

/*
 * Writes that to a new file in the working directory, mode 0600; its name goes to
 * name. 0 or -errno.
 */
int e4d_detail_save(struct e4d_detail *d, char *name, size_t name_len);

#endif
