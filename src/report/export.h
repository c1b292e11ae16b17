/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Files that a report is exported to. Each is new (nothing is overwritten, no link is
 * followed), readable by its owner only, and gone again when it could not be finished.
 */
#ifndef E4D_REPORT_EXPORT_H
#define E4D_REPORT_EXPORT_H

#include "report/sum.h"

struct e4d_rexport;

struct e4d_rexport_ops {
	const char *name; /* of the option, and of the format */
	size_t own_size;  /* of what x->own points to, zeroed */
	/* Each 0 or negative errno; with more to say, in x->why. */
	int (*begin)(struct e4d_rexport *x);
	int (*write)(struct e4d_rexport *x, const struct e4d_trace_write *w);
	int (*end)(struct e4d_rexport *x, const struct e4d_rsum *sum);
	void (*free)(struct e4d_rexport *x); /* NULL: nothing to free */
};

struct e4d_rexport {
	const struct e4d_rexport_ops *ops;
	const char *file; /* not owned */
	int fd;
	bool begun, strict; /* strict: exposure is a finding too */
	const struct e4d_rview *view;
	char why[256];
	void *own;
};

extern const struct e4d_rexport_ops e4d_rexport_perfetto;
extern const struct e4d_rexport_ops e4d_rexport_sqlite;
extern const struct e4d_rexport_ops e4d_rexport_html;

/* Makes the file. 0 or negative errno: -EEXIST when it is there; x is usable in any case. */
int e4d_rexport_open(struct e4d_rexport *x, const struct e4d_rexport_ops *ops, const char *file,
                     const struct e4d_rview *view, bool strict);

/* Closes; unless the file is whole (done), removes it. */
void e4d_rexport_close(struct e4d_rexport *x, bool done);

#endif
