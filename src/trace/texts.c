/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/texts.h"

uint32_t e4d_texts_add(struct e4d_texts *p, const char *s)
{
	size_t n = strlen(s) + 1, used = p->used ? p->used : 1, cap = p->cap ? p->cap : 4096;
	char *text;

	if (n > E4D_TEXTS_MAX - used) {
		p->dropped++;
		return 0;
	}
	while (cap < used + n)
		cap *= 2;
	if (cap != p->cap) {
		text = realloc(p->text, cap);
		if (!text) {
			p->dropped++;
			return 0;
		}
		p->text = text;
		p->cap = cap;
	}
	memcpy(p->text + used, s, n);
	p->used = used + n;
	return (uint32_t)used;
}

/* Its place, or the free one where it would go; the table is not full. */
static struct e4d_file_path *find(const struct e4d_texts *p, uint32_t dev, uint64_t ino,
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

static int grow(struct e4d_texts *p)
{
	struct e4d_texts bigger = {.size = p->size ? 2 * p->size : 1024};

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

int e4d_texts_put(struct e4d_texts *p, uint32_t dev, uint64_t ino, uint32_t gen, const char *path)
{
	struct e4d_file_path *f;
	uint32_t text;

	if (p->count >= p->size / 4 * 3 && grow(p))
		return -ENOMEM;
	f = find(p, dev, ino, gen);
	if (f->text && !strcmp(p->text + f->text, path))
		return 0; /* each rotation repeats it */
	text = e4d_texts_add(p, path);
	if (!text)
		return 0;
	if (!f->text)
		p->count++;
	*f = (struct e4d_file_path){.ino = ino, .dev = dev, .gen = gen, .text = text};
	return 0;
}

const char *e4d_texts_get(const struct e4d_texts *p, uint32_t dev, uint64_t ino, uint32_t gen)
{
	const struct e4d_file_path *f = p->size ? find(p, dev, ino, gen) : NULL;

	return f && f->text ? p->text + f->text : NULL;
}

void e4d_texts_free(struct e4d_texts *p)
{
	free(p->text);
	free(p->table);
	*p = (struct e4d_texts){0};
}
