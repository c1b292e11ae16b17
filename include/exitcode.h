/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Exit codes, the same for all commands: people script against them. */
#ifndef E4D_EXITCODE_H
#define E4D_EXITCODE_H

enum e4d_exit {
	E4D_EXIT_CLEAN = 0,
	E4D_EXIT_FINDING = 1, /* or a failed case */
	E4D_EXIT_USAGE = 2,
	E4D_EXIT_CANNOT = 3,  /* cannot run here; the remedy was printed */
	E4D_EXIT_NOTHING = 4, /* nothing was tested or seen */
	E4D_EXIT_BLIND = 5,   /* events were lost: "no finding" may not be claimed */
	E4D_EXIT_CORRUPT = 6, /* input corrupt */
};

#endif
