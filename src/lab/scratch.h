/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What lies on a block device that the lab is offered, and whether it may be overwritten. */
#ifndef E4D_LAB_SCRATCH_H
#define E4D_LAB_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "exitcode.h"

/*
 * E4D_EXIT_CLEAN: it may. E4D_EXIT_CANNOT: no block device, too small, or somebody
 * uses it. E4D_EXIT_USAGE: `yes` is false, and `why` says what would be destroyed.
 */
enum e4d_exit lab_scratch(const char *dev, bool yes, char *why, size_t len);

#endif
