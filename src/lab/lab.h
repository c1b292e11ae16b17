/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * validate --lab: every case on images of each kind. Nothing of it has a name
 * outside this process: the image is an unlinked file on a loop device that clears
 * itself, mounted in a mount namespace of its own, so that the kernel removes all
 * of it when the process ends, however it ends.
 */
#ifndef E4D_LAB_H
#define E4D_LAB_H

#include <limits.h>

#include "validate/run.h"

struct e4d_lab {
	char work[PATH_MAX]; /* for the image, and where it is mounted */
	const char *scratch; /* a block device in place of the image; NULL: none */
	char where[160];     /* about the images, for the reports */
	char lost[512];      /* what overwriting scratch destroys, in words */
	char why[256];       /* of a refusal, with its remedy */
};

/*
 * Fills r->results: each wanted case on each kind of image. 0 or -ENOMEM.
 */
int e4d_lab_plan(struct e4d_vrun *r, struct e4d_vselect *sel);

/*
 * Is the work directory fit, and the device nobody's? Nothing is written.
 * E4D_EXIT_CLEAN, or E4D_EXIT_CANNOT with lab->why.
 */
enum e4d_exit e4d_lab_open(struct e4d_lab *lab, const char *work, const char *scratch);

/* Skips what is planned and cannot run here, as far as that is known without a try. */
void e4d_lab_foresee(struct e4d_vrun *r);

/*
 * Runs what is planned. attach is called for each image, once r->mount is known, with
 * the results that run on it; it opens r->tracer: 0, or an exit code that ends the run.
 * Returns E4D_EXIT_CLEAN, or E4D_EXIT_CANNOT with lab->why.
 */
enum e4d_exit e4d_lab_go(struct e4d_lab *lab, struct e4d_vrun *r,
                         int (*attach)(void *ctx, struct e4d_vresult *results, size_t count),
                         void *ctx);

#endif
