/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The end of what a command prints on standard output. */
#ifndef E4D_OUTPUT_H
#define E4D_OUTPUT_H

/*
 * `code`, if all that was printed has arrived or nobody reads it any more; else
 * E4D_EXIT_CANNOT, with a message unless `code` was that already.
 */
int e4d_output_end(int code);

#endif
