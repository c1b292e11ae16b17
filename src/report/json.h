/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * JSON into a buffer. Commas come by themselves; a key that is NULL is an element of a
 * list. What is written may stand inside a <script>: <, > and & are \u00NN.
 */
#ifndef E4D_REPORT_JSON_H
#define E4D_REPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "util/outbuf.h"

void e4d_j_open(struct e4d_outbuf *ob, const char *key, char bracket); /* '{' or '[' */
void e4d_j_close(struct e4d_outbuf *ob, char bracket);                 /* '}' or ']' */
void e4d_j_u64(struct e4d_outbuf *ob, const char *key, uint64_t v);
void e4d_j_s64(struct e4d_outbuf *ob, const char *key, int64_t v);
void e4d_j_bool(struct e4d_outbuf *ob, const char *key, bool v);
void e4d_j_str(struct e4d_outbuf *ob, const char *key, const char *s); /* NULL: null */

#endif
