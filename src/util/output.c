/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exitcode.h"
#include "util/log.h"
#include "util/output.h"

static bool reader_gone(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

int e4d_output_end(int code)
{
	int err = fflush(stdout) ? errno : 0;

	if ((!err && !ferror(stdout)) || reader_gone() || code == E4D_EXIT_CANNOT)
		return code;
	e4d_err("output: %s", err ? strerror(err) : "not all of it could be written");
	return E4D_EXIT_CANNOT;
}
