/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What lies on a block device that the lab is offered, and whether it may be overwritten. */
#ifndef E4D_LAB_SCRATCH_H
#define E4D_LAB_SCRATCH_H

#include <stddef.h>

#include "exitcode.h"

/*
 * E4D_EXIT_CLEAN: it may, and `lost` says what that destroys. E4D_EXIT_CANNOT: no block
 * device, read-only, too small, or somebody uses it; `why` says which. Nothing is written.
 */
enum e4d_exit lab_scratch(const char *dev, char *lost, size_t lost_len, char *why, size_t len);

#endif
