/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/export.h"

int e4d_rexport_open(struct e4d_rexport *x, const struct e4d_rexport_ops *ops, const char *file,
                     const struct e4d_rview *view, bool strict)
{
	memset(x, 0, sizeof(*x));
	x->ops = ops;
	x->file = file;
	x->view = view;
	x->fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (x->fd < 0)
		return -errno;
	x->own = calloc(1, ops->own_size);
	if (!x->own)
		return -ENOMEM;
	x->begun = true;
	x->strict = strict;
	return ops->begin(x);
}

/* Only what this program made: the name may be another's by now. */
static void discard(const struct e4d_rexport *x)
{
	struct stat ours, named;

	if (!fstat(x->fd, &ours) && !lstat(x->file, &named) && ours.st_ino == named.st_ino &&
	    ours.st_dev == named.st_dev)
		unlink(x->file);
}

void e4d_rexport_close(struct e4d_rexport *x, bool done)
{
	if (x->begun && x->ops->free)
		x->ops->free(x);
	free(x->own);
	x->own = NULL;
	x->begun = false;
	if (x->fd < 0 || !x->ops)
		return;
	if (!done)
		discard(x);
	close(x->fd);
	x->fd = -1;
}
