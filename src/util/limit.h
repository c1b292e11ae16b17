/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Limits of this process (getrlimit), which its children inherit. */
#ifndef E4D_LIMIT_H
#define E4D_LIMIT_H

#include <sys/resource.h>

/* Raises the soft limit of RLIMIT_x to the hard one. What may be used then. */
rlim_t e4d_limit_raise(int resource);

#endif
