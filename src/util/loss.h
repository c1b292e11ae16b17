/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What was lost, in a line of text. */
#ifndef E4D_LOSS_H
#define E4D_LOSS_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Appends one to "NAME COUNT, NAME COUNT" in a buffer of len bytes; what does not fit is cut. */
static inline void e4d_loss_append(char *text, size_t len, const char *name, uint64_t n)
{
	size_t at = strlen(text);

	snprintf(text + at, len - at, "%s%s %" PRIu64, at ? ", " : "", name, n);
}

#endif
