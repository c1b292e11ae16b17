/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* e2fsck -fn on an image that is not mounted. */
#ifndef E4D_LAB_FSCK_H
#define E4D_LAB_FSCK_H

#include "validate/validate.h"

/*
 * What it says of an inode fails the result that has it; the first thing that it says of
 * none goes to `other`, which is empty when there is no such thing. 0, or -errno when
 * it could not be asked.
 */
int lab_fsck(const char *dev, struct e4d_vresult *results, size_t count, char *other, size_t len);

/* The same for a text that e2fsck wrote; pure. */
void lab_fsck_read(const char *said, struct e4d_vresult *results, size_t count, char *other,
                   size_t len);

#endif
