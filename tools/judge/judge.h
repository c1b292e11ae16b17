/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* judge: does the tracer say what the disk says? */
#ifndef E4D_JUDGE_H
#define E4D_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

enum jd_exit { JD_AGREE = 0, JD_DISAGREE = 1, JD_USAGE = 2, JD_NOTHING = 4, JD_CORRUPT = 6 };

enum jd_result {
	JD_OK = 0,
	JD_WRONG,
	JD_UNKNOWN, /* the tracer does not know: a failure here */
	JD_LOST,    /* the tracer has no record of the write */
	JD_SKIPPED,
	JD_NA,     /* the case has no meaning on this kind of image */
	JD_UNSEEN, /* ended before the tier's first hook, and left nothing */
	JD_BROKEN, /* the workload could not measure the case */
	JD_RESULT_COUNT,
};

struct jd_lines {
	json_t **v;
	size_t count;
	size_t room;
};

/* One judged case; strings belong to the loaded lines. */
struct jd_row {
	const char *name;
	const json_t *truth;
	const json_t *rec; /* NULL: none found */
	enum jd_result result;
	char why[160]; /* "expected ..., got ..."; the reason of a skip */
};

/* load.c: returns 0 or a jd_exit, having said why; what fn returns ends it. */
typedef int (*jd_line_fn)(void *ctx, json_t *obj, long pos);
int jd_each(const char *path, bool live, jd_line_fn fn, void *ctx);
int jd_load(const char *path, struct jd_lines *out);
void jd_unload(struct jd_lines *lines);
/* An integer member; *have says whether it is there and not null. */
long long jd_int(const json_t *obj, const char *key, bool *have);
const char *jd_str(const json_t *obj, const char *key);

/* match.c */
const json_t *jd_match(const json_t *truth, const struct jd_lines *trace);
void jd_compare(struct jd_row *row, const struct jd_lines *trace);

/* table.c */
void jd_print_table(const struct jd_row *rows, size_t count);
void jd_print_tap(const char *prefix, const struct jd_row *rows, size_t count);
void jd_print_summary(const char *lead, const struct jd_row *rows, size_t count);

#endif
