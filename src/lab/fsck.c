/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What e2fsck -fn says, a problem a line:
 *
 *   Pass 1: Checking inodes, blocks, and sizes
 *   Inode 22, end of extent exceeds allowed value
 *           (logical block 2399, physical block 8305, len 257)
 *   Clear? no
 *   Inode 22, i_blocks is 11680, should be 9624.  Fix? no
 *   Pass 5: Checking group summary information
 *   Block bitmap differences:  -(8305--8561)
 *   Fix? no
 *   /dev/loop0: ********** WARNING: Filesystem still has errors **********
 *   /dev/loop0: 22/16384 files (13.6% non-contiguous), 6598/16384 blocks
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/fsck.h"
#include "lab/spawn.h"

#define OUTPUT_MAX (256 * 1024)
#define E2FSCK_OK  0
#define E2FSCK_BAD 4 /* errors left uncorrected */

/* Lines that tell of no problem. */
static const char *const idle[] = {"e2fsck ", "Pass ", "Fix?", "Clear?", "/dev/", "Warning"};

/* What follows from a problem told before. */
static const char *const sums[] = {"Block bitmap differences", "Inode bitmap differences",
                                   "Free blocks count", "Free inodes count"};

static bool begins(const char *line, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strncmp(line, words[i], strlen(words[i])))
			return true;
	return false;
}

#define BEGINS(line, words) begins(line, words, sizeof(words) / sizeof(words[0]))

/* The inode that the line names; 0: none. */
static uint64_t inode_of(const char *line)
{
	for (const char *p = line; (p = strcasestr(p, "inode ")); p++)
		if (isdigit((unsigned char)p[6]))
			return strtoull(p + 6, NULL, 10);
	return 0;
}

static struct e4d_vresult *of_inode(struct e4d_vresult *results, size_t count, uint64_t ino)
{
	for (size_t i = 0; ino && i < count; i++)
		if (results[i].ino == ino && results[i].res.done)
			return &results[i];
	return NULL;
}

void lab_fsck_read(const char *said, struct e4d_vresult *results, size_t count, char *other,
                   size_t len)
{
	bool told = false;
	char line[120];

	*other = 0;
	for (; *said; said += strcspn(said, "\n"), said += *said == '\n') {
		struct e4d_vresult *r;
		char *end;

		snprintf(line, sizeof(line), "%.*s", (int)strcspn(said, "\n"), said);
		end = strstr(line, "  ");
		if (end)
			*end = 0; /* "  Fix? no" */
		if (!isalpha((unsigned char)*line) || BEGINS(line, idle))
			continue;
		r = of_inode(results, count, inode_of(line));
		if (r)
			e4d_vcheck_fail(r, "e2fsck", line);
		else if (!*other && !(told && BEGINS(line, sums)))
			snprintf(other, len, "%s", line);
		told |= r != NULL;
	}
}

int lab_fsck(const char *dev, struct e4d_vresult *results, size_t count, char *other, size_t len)
{
	char *const argv[] = {"e2fsck", "-fn", (char *)dev, NULL};
	char *said = malloc(OUTPUT_MAX);
	int rc;

	if (!said)
		return -ENOMEM;
	rc = lab_spawn(argv, said, OUTPUT_MAX);
	if (rc == E2FSCK_OK || rc == E2FSCK_BAD)
		lab_fsck_read(said, results, count, other, len);
	else if (rc > 0)
		snprintf(other, len, "e2fsck ended with %d: %.*s", rc, (int)strcspn(said, "\n"),
		         said);
	free(said);
	return rc < 0 ? rc : 0;
}
