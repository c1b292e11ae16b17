/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What an image lies on, and how it is made to fail. */
#ifndef E4D_LAB_MEDIUM_H
#define E4D_LAB_MEDIUM_H

#include "lab/dm.h"
#include "lab/lab.h"
#include "lab/loop.h"

#define LAB_IMAGE_BYTES (256 * WL_MIB)

/* The medium of a run that is up: one at a time. */
struct lab_media {
	const char *work;
	const char *scratch; /* in place of the disk's loop device; NULL: none */
	const char *dev;     /* of the medium that is up */
	struct lab_loop disk, small;
	struct lab_dm dm;
	int ballast; /* a file on the tmpfs that takes the room; -1: none */
	bool armed;
};

/* They return 0 or -errno. It is up for several images, one after the other. */
struct lab_medium {
	enum e4d_vmedium medium;
	const char *name;
	int (*here)(char *why, size_t len); /* can it be had? NULL: up tells */
	int (*up)(struct lab_media *m, char *why, size_t len);
	int (*wipe)(struct lab_media *m); /* before mkfs; NULL: nothing */
	int (*made)(struct lab_media *m); /* after it; NULL: nothing */
	void (*down)(struct lab_media *m);
};

extern const struct lab_medium lab_mediums[];
extern const size_t lab_medium_count;

/* NULL: none. */
const struct lab_medium *lab_medium_of(const struct e4d_vcase *c);

/* Makes the trouble that the case asks for, on its file. 0 or -errno. */
int lab_arm(struct lab_media *m, const struct e4d_vcase *c, int fd, char *why, size_t len);

/* Ends it, if there is any. */
void lab_disarm(struct lab_media *m);

#endif
