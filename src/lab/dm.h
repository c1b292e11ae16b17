/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A device-mapper device that can be told to fail, by device-mapper's own ioctls. */
#ifndef E4D_LAB_DM_H
#define E4D_LAB_DM_H

#include <stdint.h>

struct lab_dm {
	int control;
	int fd; /* the device; the last close removes it */
	char name[32];
	char path[32];
	char below[32]; /* major:minor of what it lies upon */
	uint64_t sectors;
};

/* Is there a device-mapper? 0 or -errno. */
int lab_dm_here(void);

/* A device as large as the block device `below`, and no different. 0 or -errno. */
int lab_dm_open(struct lab_dm *d, const char *below);

/* From now on every write fails with EIO. -ENXIO: no target does that (dm-flakey). */
int lab_dm_fail_writes(struct lab_dm *d);

/* From now on what touches these bytes of the device fails with EIO. */
int lab_dm_fail_range(struct lab_dm *d, uint64_t from, uint64_t to);

/* From now on nothing fails. */
int lab_dm_mend(struct lab_dm *d);
void lab_dm_close(struct lab_dm *d);

#endif
