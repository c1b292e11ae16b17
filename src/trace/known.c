/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/known.h"

#define SLOTS (1u << 15) /* half of them are used */

struct e4d_known_file { /* ino 0, which no file has: free */
	uint64_t ino;
	uint32_t dev, gen;
};

int e4d_known_open(struct e4d_known *k)
{
	k->n = 0;
	k->file = calloc(SLOTS, sizeof(*k->file));
	return k->file ? 0 : -ENOMEM;
}

void e4d_known_close(struct e4d_known *k)
{
	free(k->file);
	k->file = NULL;
}

static unsigned int hash(uint32_t dev, uint64_t ino, uint32_t gen)
{
	uint64_t h = (ino ^ (uint64_t)dev << 40 ^ (uint64_t)gen << 20) * 0x9e3779b97f4a7c15ULL;

	return (unsigned int)(h >> 40) & (SLOTS - 1);
}

/* Where it is, or where it would go. */
static struct e4d_known_file *find(const struct e4d_known *k, uint32_t dev, uint64_t ino,
                                   uint32_t gen)
{
	for (unsigned int i = hash(dev, ino, gen);; i = (i + 1) & (SLOTS - 1)) {
		struct e4d_known_file *f = &k->file[i];

		if (!f->ino || (f->ino == ino && f->dev == dev && f->gen == gen))
			return f;
	}
}

bool e4d_known_has(const struct e4d_known *k, uint32_t dev, uint64_t ino, uint32_t gen)
{
	return find(k, dev, ino, gen)->ino != 0;
}

bool e4d_known_add(struct e4d_known *k, uint32_t dev, uint64_t ino, uint32_t gen)
{
	if (!ino || e4d_known_has(k, dev, ino, gen))
		return false;
	if (k->n == SLOTS / 2)
		e4d_known_forget(k);
	*find(k, dev, ino, gen) = (struct e4d_known_file){ino, dev, gen};
	k->n++;
	return true;
}

void e4d_known_forget(struct e4d_known *k)
{
	memset(k->file, 0, SLOTS * sizeof(*k->file));
	k->n = 0;
}
