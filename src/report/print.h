/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What a report says on standard output; at most 80 columns, strings escaped. */
#ifndef E4D_REPORT_PRINT_H
#define E4D_REPORT_PRINT_H

#include <stdio.h>

#include "record/fields.h"
#include "report/sum.h"

/* Hosts, span, totals, verdicts, what was lost, findings by file and by command. */
void e4d_rprint_summary(const struct e4d_rsum *sum, FILE *out);

/* Latency, submitted, mapped by powers of two; submitted against mapped. */
void e4d_rprint_histograms(const struct e4d_rsum *sum, FILE *out);

/*
 * The first findings (at most `most`), each with the writes of its file around it: reads
 * the dumps once more. 0 or negative errno.
 */
int e4d_rprint_timeline(struct e4d_rview *view, const struct e4d_rsum *sum, size_t most, FILE *out);

/* One JSON object of all the above, without the timeline. 0 or negative errno. */
int e4d_rprint_object(const struct e4d_rsum *sum, int fd);

/* s escaped for a terminal, in full; from a small ring of static buffers. */
const char *e4d_rtext(const char *s);

/* A time of the wall clock (ns) as RFC 3339 in local time; likewise. */
const char *e4d_rtime(uint64_t real_ns);

/* "12.5 ms": a length of time in a unit that fits; likewise. */
const char *e4d_rlength(uint64_t ns);

/* "1.5 GiB"; exact below 10 KiB; likewise. */
const char *e4d_rbytes(uint64_t bytes);

/* The lower end of a bucket in a unit: "64 us", "4 KiB"; likewise. */
const char *e4d_rbucket_name(unsigned int bucket, bool bytes);

/* The file of a finding: its path, else "dev 8:1 ino 131"; escaped, likewise. */
const char *e4d_rfile(const char *path, uint32_t dev, uint64_t ino);

/* A value that is no number: a word, a list ("extend+sync"), "8:1"; escaped, likewise. */
const char *e4d_rvalue(const struct e4d_field *f, const struct e4d_value *v);

#endif
