/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* May the safe tier run on this mount? */
#ifndef E4D_VALIDATE_MOUNT_H
#define E4D_VALIDATE_MOUNT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "exitcode.h"
#include "validate/validate.h"

#define E4D_V_MIN_FREE    (256 * WL_MIB)
#define E4D_V_MIN_PERCENT 5
#define E4D_V_FILE        (2 * WL_MIB) /* bytes: no case of the safe tier has a larger file */

struct e4d_vmount {
	const char *dir;
	dev_t dev;
	char device[64]; /* "sda1" */
	struct e4d_vfs fs;
	uint64_t avail, total; /* bytes */
	char why[256];         /* of a refusal, with its remedy */
};

/*
 * Looks at the mount that holds dir, and writes nothing. E4D_EXIT_CLEAN,
 * E4D_EXIT_NOTHING (not this mount) or E4D_EXIT_CANNOT, with m->why.
 */
enum e4d_exit e4d_vmount_look(struct e4d_vmount *m, const char *dir);

/* The same, and is there room for the safe tier on a mount in use? */
enum e4d_exit e4d_vmount_open(struct e4d_vmount *m, const char *dir);

/* Bytes that are free now above what must be; 0: none, or it cannot be said. */
uint64_t e4d_vmount_room(const struct e4d_vmount *m);

/*
 * Makes an unnamed file in m->dir. Returns a descriptor to read and write (not
 * O_DIRECT), or -errno.
 */
int e4d_vmount_file(const struct e4d_vmount *m);

/*
 * Learns the allocation unit from a file of one block, and refuses what only a
 * file tells: data=journal by attribute, encryption, DAX. As e4d_vmount_open().
 */
enum e4d_exit e4d_vmount_probe(struct e4d_vmount *m);

/* The same refusals, as far as the directory itself tells; writes nothing. */
enum e4d_exit e4d_vmount_ask(struct e4d_vmount *m);

#endif
