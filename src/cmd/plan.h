/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* validate before it writes: --list, --dry-run, and the question about --scratch. */
#ifndef E4D_PLAN_H
#define E4D_PLAN_H

#include "lab/lab.h"

/* --list: the planned cases and the invariants. E4D_EXIT_NOTHING: no case is left. */
enum e4d_exit e4d_plan_list(const struct e4d_vrun *r, bool lab);

/* --dry-run: the same exit codes. lab is NULL without --lab. */
enum e4d_exit e4d_plan_print(const struct e4d_vrun *r, const struct e4d_lab *lab);

/*
 * What will be destroyed is named; without `yes` a terminal is asked. E4D_EXIT_CLEAN:
 * it is meant. E4D_EXIT_USAGE: it is not, or nobody can be asked.
 */
enum e4d_exit e4d_plan_consent(const char *lost, bool yes);

#endif
