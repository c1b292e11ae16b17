/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * File names and command names are bytes that anybody may choose. Nothing of
 * them reaches a terminal, a JSON reader or a CSV reader unescaped.
 */
#ifndef E4D_ESCAPE_H
#define E4D_ESCAPE_H

#include <stddef.h>

#include <linux/types.h>

/* Most output bytes for one input byte. */
#define E4D_ESCAPE_TEXT_MAX 4
#define E4D_ESCAPE_JSON_MAX 6
/* Room for one unit (code point or escaped byte) of text. */
#define E4D_TEXT_UNIT_MAX 16

/* Decodes one code point; returns its bytes (1 to 4), 0 when it is invalid. */
size_t e4d_utf8_decode(const char *s, size_t len, __u32 *cp);

/*
 * Writes the first unit of s (len > 0) to out, not terminated. Each byte of controls,
 * of bidi and invisible characters, and of what is no UTF-8 is a unit \xNN, a
 * backslash becomes two.
 * Returns the bytes of s used; *outlen bytes were written, *cols columns.
 */
size_t e4d_text_unit(const char *s, size_t len, char out[E4D_TEXT_UNIT_MAX], size_t *outlen,
                     unsigned int *cols);

/* Columns that s takes once escaped for text. */
size_t e4d_text_cols(const char *s, size_t len);

/*
 * Escapes s for a terminal into dst (cap bytes, always terminated; whole units
 * only, the rest is left out). Returns the length written.
 */
size_t e4d_escape_text(char *dst, size_t cap, const char *s, size_t len);

/* The same, but a backslash stays one: for messages, not for data. */
size_t e4d_escape_line(char *dst, size_t cap, const char *s, size_t len);

/*
 * Escapes s for the inside of a JSON string. dst has room for 6 * len bytes;
 * not terminated. An invalid byte NN becomes \u00NN: the value stays readable,
 * but cannot be told from a real U+00NN. Returns the end of what was written.
 */
char *e4d_escape_json(char *dst, const char *s, size_t len);

/*
 * Writes s as a CSV value: escaped as for text, in quotes where RFC 4180 needs
 * them (and when empty: a bare empty value means null). A first =, +, - or @
 * becomes \xNN: a spreadsheet would take it for a formula. dst has room for
 * 4 * len + 2 bytes; not terminated. Returns the end of what was written.
 */
char *e4d_escape_csv(char *dst, const char *s, size_t len);

#endif
