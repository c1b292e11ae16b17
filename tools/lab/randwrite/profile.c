/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A change of any number here changes every seed's program: see generate.c. */
#include <string.h>

#include "profile.h"

#define KIB 1024ULL

static const struct rw_kind kinds[] = {
	{"4k", 4 * KIB, 4 * KIB, true},          {"1k", KIB, KIB, true},
	{"bigalloc", 4 * KIB, 64 * KIB, true},   {"noextents", 4 * KIB, 4 * KIB, false},
	{"orphan_file", 4 * KIB, 4 * KIB, true}, {"nojournal", 4 * KIB, 4 * KIB, true},
};

static const struct rw_profile profiles[] = {
	{"mixed",
         6,
         20,
         8,
         20,
         12,
         {[RW_WRITE] = 640,
          [RW_FALLOC] = 40,
          [RW_PUNCH] = 30,
          [RW_COLLAPSE] = 20,
          [RW_TRUNCATE] = 60,
          [RW_BUFFERED] = 25,
          [RW_MMAP] = 20,
          [RW_FSYNC] = 10,
          [RW_READ] = 15,
          [RW_FILL] = 8,
          [RW_UNFILL] = 100,
          [RW_GROUP_WEIGHT] = 60}},
	{"quick",
         6,
         14,
         6,
         0,
         0,
         {[RW_WRITE] = 800,
          [RW_FALLOC] = 50,
          [RW_PUNCH] = 20,
          [RW_TRUNCATE] = 80,
          [RW_BUFFERED] = 20,
          [RW_FSYNC] = 10,
          [RW_READ] = 20}},
	{"serial",
         6,
         20,
         8,
         20,
         12,
         {[RW_WRITE] = 700,
          [RW_FALLOC] = 50,
          [RW_PUNCH] = 35,
          [RW_COLLAPSE] = 25,
          [RW_TRUNCATE] = 70,
          [RW_BUFFERED] = 30,
          [RW_MMAP] = 25,
          [RW_FSYNC] = 15,
          [RW_READ] = 20,
          [RW_FILL] = 8,
          [RW_UNFILL] = 100}},
	{"overlap",
         6,
         20,
         8,
         5,
         12,
         {[RW_WRITE] = 150,
          [RW_FALLOC] = 40,
          [RW_PUNCH] = 10,
          [RW_COLLAPSE] = 10,
          [RW_TRUNCATE] = 40,
          [RW_BUFFERED] = 10,
          [RW_GROUP_WEIGHT] = 740}},
	{"enospc",
         6,
         20,
         8,
         250,
         5,
         {[RW_WRITE] = 650,
          [RW_FALLOC] = 60,
          [RW_PUNCH] = 20,
          [RW_TRUNCATE] = 60,
          [RW_BUFFERED] = 20,
          [RW_MMAP] = 10,
          [RW_FILL] = 300,
          [RW_UNFILL] = 40,
          [RW_GROUP_WEIGHT] = 40}},
};

const struct rw_kind *rw_kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

const struct rw_profile *rw_profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

void rw_names(FILE *to)
{
	fputs("kinds:", to);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		fprintf(to, " %s", kinds[i].name);
	fputs("\nprofiles:", to);
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		fprintf(to, " %s", profiles[i].name);
	fputs("\n", to);
}
