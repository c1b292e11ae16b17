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

struct e4d_detail_write {
	struct e4d_record rec;
	bool watched; /* the main stream does not have it */
};

struct e4d_timeline {
	uint64_t count; /* writes seen: those kept by the model, and since then */
	uint64_t kept;  /* of these, put in: write i of them is at i % E4D_DETAIL_WRITES */
	struct e4d_detail_write write[E4D_DETAIL_WRITES]; /* the latest, by their begin */
	uint64_t submitted[E4D_DETAIL_LOG2], mapped[E4D_DETAIL_LOG2], latency[E4D_LATENCIES];
	uint64_t lost; /* events of the file's own tracing */
	char losses[160];
};

struct e4d_detail {
	bool open;
	struct e4d_model *m;
	struct e4d_record id; /* dev, ino, gen; pid and comm of who was seen when it was opened */
	char *path;           /* owned; NULL: not known */
	struct e4d_facts facts;
	int asked;                           /* where newer facts come from; -1: nobody was asked */
	uint64_t asked_ns;                   /* CLOCK_BOOTTIME, when that was */
	bool watching;                       /* every write comes that began at since_ns or later */
	uint64_t since_ns;                   /* CLOCK_BOOTTIME */
	char why[256];                       /* why not every write comes */
	struct e4d_timeline gathered, shown; /* differ while the view is paused */
};

/*
 * Opens it for the record's inode; path may be NULL. Takes over what the model still
 * has, asks the file system, and lets every write of the file be traced from now on.
 */
void e4d_detail_open(struct e4d_detail *d, struct e4d_model *m, const struct e4d_record *id,
                     const char *path);
void e4d_detail_close(struct e4d_detail *d);

/* The replay goes somewhere else: nothing of before holds. */
void e4d_detail_forget(struct e4d_detail *d);

/* What is shown becomes what is known by now, unless paused. To be called before each text. */
void e4d_detail_refresh(struct e4d_detail *d);

/* The latest write's record; id where none was seen. */
const struct e4d_record *e4d_detail_last(const struct e4d_detail *d);

/*
 * Appends what is shown as lines of at most 100 columns, for a screen of so many: exact
 * figures from 100 on. Only the path is broken at a narrower screen's edge.
 */
void e4d_detail_text(const struct e4d_detail *d, size_t cols, bool utf8, struct e4d_outbuf *ob);

/*
 * Writes that, with date and time zone, to a new file in the working directory, mode
 * 0600; its name goes to name. 0 or -errno.
 */
int e4d_detail_save(struct e4d_detail *d, char *name, size_t name_len);

#endif
