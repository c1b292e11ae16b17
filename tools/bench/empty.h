/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Programs that do nothing, on any hook. */
#ifndef E4D_EMPTY_H
#define E4D_EMPTY_H

#include "probe/hooks.h"

/* Reads the kernel's types; 0 or negative errno. */
int empty_open(void);
/* fentry, fexit, tp_btf: the program's fd, attached to nothing yet. */
int empty_load(enum e4d_hook_kind kind, const char *target);
/* A fd that keeps the program attached, or negative errno. */
int empty_attach(enum e4d_hook_kind kind, const char *target);

#endif
