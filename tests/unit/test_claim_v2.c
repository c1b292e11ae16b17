/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The same as the programs for 5.10 do it. */
#define E4D_NO_CMPXCHG
#include "test_claim.c"
