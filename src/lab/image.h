/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The kinds of image, and one of them made, mounted, and checked. */
#ifndef E4D_LAB_IMAGE_H
#define E4D_LAB_IMAGE_H

#include "validate/validate.h"

struct lab_kind {
	const char *name;
	bool extents;
	const char *mkfs[8]; /* options beside the common ones */
};

extern const struct lab_kind lab_kinds[];
extern const size_t lab_kind_count;

/* The kind that its name begins with. */
const struct lab_kind *lab_kind_of(const struct e4d_vresult *r);

/*
 * These return 0 or -errno with a reason in `why`. -EOPNOTSUPP: the kind is not to be
 * had here.
 */
int lab_mkfs(const struct lab_kind *kind, const char *dev, char *why, size_t len);
int lab_mount(const struct lab_kind *kind, const char *dev, const char *dir, char *why, size_t len);
int lab_umount(const char *dir);

/* A mount namespace of this process's own. 0 or -errno. */
int lab_namespace(void);

#endif
