/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Figures and names in so many columns of a terminal. */
#ifndef E4D_VIEW_TEXT_H
#define E4D_VIEW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum e4d_units {
	E4D_UNITS_1024, /* 1016K, counts in 1000 */
	E4D_UNITS_1000,
	E4D_UNITS_EXACT,
	E4D_UNITS_COUNT,
};

enum e4d_figure_kind {
	E4D_FIG_COUNT, /* of things */
	E4D_FIG_BYTES,
	E4D_FIG_NS,
	E4D_FIG_PERCENT,
	E4D_FIG_PLAIN, /* a number that names something: never shortened */
};

#define E4D_FIGURE_MAX 32

/*
 * Writes v for people, terminated, in at most 6 columns: 0.5, 9999, 12.3k, 1016K, 1.2ms,
 * 3h20m. With E4D_UNITS_EXACT counts and bytes of any length are not shortened.
 */
void e4d_figure(char out[E4D_FIGURE_MAX], enum e4d_figure_kind kind, enum e4d_units units,
                double v);

/* HH:MM:SS of a CLOCK_BOOTTIME, by its distance to CLOCK_REALTIME, ns. */
void e4d_time_of_day(int64_t boot_to_real_ns, uint64_t boot_ns, char *out, size_t len);

/*
 * Copies the first unit of s (len > 0) that may be sent to a terminal: escaped as by
 * e4d_text_unit(), and everything but ASCII too without utf8, or where the locale
 * does not print it. Returns the bytes of s used; cols may be 0 (combining).
 */
size_t e4d_view_unit(const char *s, size_t len, bool utf8, char *out, size_t *outlen,
                     unsigned int *cols);

/* Columns that s takes so. */
size_t e4d_view_cols(const char *s, size_t len, bool utf8);

/*
 * Writes s so into dst (cap bytes, terminated) in at most cols columns; what is too
 * long loses its middle (an ellipsis, or "..") if middle, else its end ("+"). Returns the columns
 * used.
 */
size_t e4d_view_fit(char *dst, size_t cap, const char *s, size_t cols, bool middle, bool utf8);

/* A bar of n values, the largest as high as a line; cap bytes, terminated. */
void e4d_spark(char *dst, size_t cap, const double *v, size_t n, bool utf8);

#endif
