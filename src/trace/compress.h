/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A complete stream file becomes NAME.zst. */
#ifndef E4D_TRACE_COMPRESS_H
#define E4D_TRACE_COMPRESS_H

#include <stdbool.h>
#include "trace/internal.h"

/*
 * Compresses NAME of the dump's directory to a hidden file, syncs and renames that to
 * NAME.zst, and removes NAME: at each moment one of the two is there as a whole.
 * go_on() is asked every now and then, false gives up. 0, -ECANCELED, or negative errno;
 * what is not done leaves NAME alone. d->bytes follows.
 */
int e4d_compress_file(struct e4d_dump *d, const char *name, int level,
                      bool (*go_on)(void *ctx, const char *name), void *ctx);

#endif
