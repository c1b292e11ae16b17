/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What loss.c hands to loss.bpf.c. */
#ifndef E4D_LOSS_ARG_H
#define E4D_LOSS_ARG_H

struct loss_arg {
	unsigned int n; /* records */
};

#endif
