/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The embedded BPF objects: one for each tier, with and without cmpxchg. */
#ifndef E4D_OBJECTS_H
#define E4D_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include "record.h"

/* ELF bytes (static storage) and their size; NULL for an unknown tier. */
const void *e4d_object_bytes(enum e4d_tier tier, bool cmpxchg, size_t *size);

#endif
