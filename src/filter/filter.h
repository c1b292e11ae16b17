/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The filter grammar of all commands: docs/filter.md. */
#ifndef E4D_FILTER_H
#define E4D_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "record.h"

/* Longest text of one --filter, bytes. */
#define E4D_FILTER_MAX 4096
/* An err buffer of this size holds every message whole. */
#define E4D_FILTER_ERR 1024

struct e4d_filter;

/*
 * Parses text into a new filter, to be freed by the caller. Returns 0, -ENOMEM,
 * or -EINVAL; then *out is NULL and err holds a message with the column and a
 * remedy. The message quotes the text: print it with e4d_err(), which escapes.
 */
int e4d_filter_parse(const char *text, struct e4d_filter **out, char *err, size_t errlen);

/* Adds the terms of another text (AND). On error f is unchanged. */
int e4d_filter_add(struct e4d_filter *f, const char *text, char *err, size_t errlen);

/* True when every term matches; a NULL filter matches all. path may be NULL. */
bool e4d_filter_match(const struct e4d_filter *f, const struct e4d_record *rec, const char *path);

/* True when a term asks for the path, or the command's name, so that it must be looked up first. */
bool e4d_filter_needs_path(const struct e4d_filter *f);
bool e4d_filter_needs_comm(const struct e4d_filter *f);

/* All that was parsed into it, terms apart by a blank; "" for NULL. The filter's own. */
const char *e4d_filter_text(const struct e4d_filter *f);

/*
 * Fills dev, ino, tgid, comm and extend_only of cfg, where they are still 0, from
 * terms with one plain "=" value. User space still has to match all records.
 */
void e4d_filter_pushdown(const struct e4d_filter *f, struct e4d_config *cfg);

/*
 * The terms that it leaves to user space: the text of the n-th, the filter's own, NULL
 * when there are no more; and the match of these alone, for what the kernel has filtered.
 */
const char *e4d_filter_rest(const struct e4d_filter *f, unsigned int n);
bool e4d_filter_match_rest(const struct e4d_filter *f, const struct e4d_record *rec,
                           const char *path);

void e4d_filter_free(struct e4d_filter *f);

#endif
