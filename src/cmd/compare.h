/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* validate --diff and --baseline: files in, a comparison out. */
#ifndef E4D_COMPARE_H
#define E4D_COMPARE_H

#include "validate/report.h"
#include "validate/saved.h"

/*
 * Reads a saved result and says what is wrong with it: E4D_EXIT_CLEAN, E4D_EXIT_CORRUPT,
 * E4D_EXIT_USAGE (it cannot be opened), or E4D_EXIT_CANNOT.
 */
enum e4d_exit e4d_compare_read(struct e4d_vsaved *s, const char *path);

/* Prints the comparison of old with new as "table" or "json"; the exit code. */
enum e4d_exit e4d_compare(const struct e4d_vsaved *old, const struct e4d_vsaved *new,
                          const char *format);

/* --diff. */
enum e4d_exit e4d_compare_files(const char *old, const char *new, const char *format);

/* --baseline: the run that has ended, with what was read before it. */
enum e4d_exit e4d_compare_run(const struct e4d_vsaved *old, const struct e4d_vrun *r,
                              const char *format);

#endif
