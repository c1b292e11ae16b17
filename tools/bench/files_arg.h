/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What files.c hands to files.bpf.c. */
#ifndef E4D_FILES_ARG_H
#define E4D_FILES_ARG_H

#define FILE_IDS (1u << 22) /* synthetic ids, read in order */

struct files_arg {
	unsigned int first, n; /* ids from this one */
};

#endif
