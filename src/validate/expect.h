/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* --expect: the exit code of a CI that knows what its kernel should do. */
#ifndef E4D_VALIDATE_EXPECT_H
#define E4D_VALIDATE_EXPECT_H

#include "validate/run.h"

enum e4d_vexpect { E4D_V_EXPECT_NONE, E4D_V_EXPECT_BROKEN, E4D_V_EXPECT_FIXED };

/* -EINVAL for another word than broken and fixed. */
int e4d_vexpect_parse(const char *word, enum e4d_vexpect *out);

/*
 * Is it of the leaking kind: does it fail where a fault off a block boundary becomes a
 * success (6.12 and later)? It extends the file, and its buffer ends, or its writer is
 * killed, inside a block.
 */
bool e4d_vcase_leaks(const struct e4d_vcase *c);

/* Did it fail as on such a kernel: blocks past EOF, or i_size moved by a write that failed? */
bool e4d_vresult_leaked(const struct e4d_vresult *r);

/* What the run comes to, and the reason in one sentence. Pure. */
enum e4d_exit e4d_vexpect_exit(const struct e4d_vrun *r, enum e4d_vexpect e, char *why, size_t len);

#endif
