/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Moments as --since and --until take them. */
#ifndef E4D_REPORT_SPAN_H
#define E4D_REPORT_SPAN_H

#include <stdint.h>

/*
 * Reads a moment of a recording that lasted from first to last (CLOCK_REALTIME, ns)
 * into *out, in the same:
 *   2026-05-04T13:02:11.5+02:00   RFC 3339; without an offset local time; "T" may be
 *                                 a space, seconds and their fraction may be left out
 *   13:02  13:02:11               of the day on which the recording ended, or of the day
 *                                 before, where only that is within the recording
 *   -10m                          before its end: ms, s, m, h, d
 * 0, or -EINVAL.
 */
int e4d_span_parse(const char *text, uint64_t first, uint64_t last, uint64_t *out);

#endif
