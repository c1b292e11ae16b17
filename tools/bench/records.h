/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Records as different as those of a real trace: appends and overwrites of 4 KiB. */
#ifndef E4D_RECORDS_H
#define E4D_RECORDS_H

#include "record.h"

/* Fills the i-th. */
void make_record(struct e4d_record *r, unsigned int i);

#endif
