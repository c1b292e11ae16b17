/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/paths.h"

uint32_t e4d_paths_text(struct e4d_paths *p, const char *s)
{
	size_t n = strlen(s) + 1, used = p->used ? p->used : 1, cap = p->cap ? p->cap : 4096;
	char *texts;

	if (n > E4D_TEXTS_MAX - used) {
		p->dropped++;
		return 0;
	}
	while (cap < used + n)
		cap *= 2;
	if (cap != p->cap) {
		texts = realloc(p->texts, cap);
		if (!texts) {
			p->dropped++;
			return 0;
		}
		p->texts = texts;
		p->cap = cap;
	}
	memcpy(p->texts + used, s, n);
	p->used = used + n;
	return (uint32_t)used;
}

/* Its place, or the free one where it would go; the table is not full. */
static struct e4d_file_path *find(const struct e4d_paths *p, uint32_t dev, uint64_t ino,
                                  uint32_t gen)
{
	uint64_t h = (ino ^ (uint64_t)gen << 32 ^ dev) * 0x9e3779b97f4a7c15ULL;
	size_t at = (size_t)(h >> 32) & (p->size - 1);

	while (p->table[at].text) {
		const struct e4d_file_path *f = &p->table[at];

		if (f->ino == ino && f->dev == dev && f->gen == gen)
			break;
		at = (at + 1) & (p->size - 1);
	}
	return &p->table[at];
}

static int grow(struct e4d_paths *p)
{
	struct e4d_paths bigger = {.size = p->size ? 2 * p->size : 1024};

	bigger.table = calloc(bigger.size, sizeof(*bigger.table));
	if (!bigger.table)
		return -ENOMEM;
	for (size_t i = 0; i < p->size; i++) {
		const struct e4d_file_path *f = &p->table[i];

		if (f->text)
			*find(&bigger, f->dev, f->ino, f->gen) = *f;
	}
	free(p->table);
	p->table = bigger.table;
	p->size = bigger.size;
	return 0;
}

int e4d_paths_put(struct e4d_paths *p, uint32_t dev, uint64_t ino, uint32_t gen, const char *path)
{
	struct e4d_file_path *f;
	uint32_t text;

	if (p->count >= p->size / 4 * 3 && grow(p))
		return -ENOMEM;
	f = find(p, dev, ino, gen);
	if (f->text && !strcmp(p->texts + f->text, path))
		return 0; /* each rotation repeats it */
	text = e4d_paths_text(p, path);
	if (!text)
		return 0;
	if (!f->text)
		p->count++;
	*f = (struct e4d_file_path){.ino = ino, .dev = dev, .gen = gen, .text = text};
	return 0;
}

const char *e4d_paths_get(const struct e4d_paths *p, uint32_t dev, uint64_t ino, uint32_t gen)
{
	const struct e4d_file_path *f = p->size ? find(p, dev, ino, gen) : NULL;

	return f && f->text ? p->texts + f->text : NULL;
}

void e4d_paths_free(struct e4d_paths *p)
{
	free(p->texts);
	free(p->table);
	*p = (struct e4d_paths){0};
}
