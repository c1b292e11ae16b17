/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

#define WHY_LEN 200
#define MARK    "== "

/* The whole of a file, terminated; NULL with errno. */
static char *slurp(const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin, *to;
	char *text = NULL, buf[4096];
	size_t len = 0, n;

	if (!f)
		return NULL;
	to = open_memstream(&text, &len);
	while (to && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		fwrite(buf, 1, n, to);
	if (to)
		fclose(to);
	if (f != stdin)
		fclose(f);
	return text;
}

static int add(struct rw_source *src, const char *name, const char *body)
{
	struct rw_item *items = realloc(src->items, (src->count + 1) * sizeof(*items));
	char why[WHY_LEN] = "";
	int err;

	if (!items)
		return -ENOMEM;
	src->items = items;
	items[src->count].name = name;
	err = rw_program_parse(body, &items[src->count].program, why, sizeof(why));
	if (err)
		fprintf(stderr, "randwrite: %s: %s\n", name, why[0] ? why : strerror(-err));
	else
		src->count++;
	return err;
}

/* Cuts the text at its marks. What is wrong in the last program is found before the first runs. */
static int split(struct rw_source *src)
{
	char *name = NULL, *body = src->text;
	int err = 0;

	for (char *line = body, *after; !err; line = after) {
		bool mark = !strncmp(line, MARK, strlen(MARK));
		char *end = line + strcspn(line, "\r\n");

		after = *end ? end + 1 : end;
		if (!mark && *line)
			continue;
		mark = *line;
		*line = '\0';
		err = add(src, name ? name : "program", body);
		/* Before the first mark there may be comments only. */
		if (!err && !name && mark && !src->items[0].program.count)
			rw_program_free(&src->items[--src->count].program);
		if (!mark)
			break;
		name = line + strlen(MARK);
		*end = '\0';
		body = after;
	}
	return err;
}

int rw_source_read(const char *path, struct rw_source *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	out->text = slurp(path);
	if (!out->text) {
		err = -errno;
		fprintf(stderr, "randwrite: %s: %s\n", path, strerror(errno));
		return err;
	}
	err = split(out);
	if (err)
		rw_source_free(out);
	return err;
}

void rw_source_free(struct rw_source *src)
{
	for (size_t i = 0; i < src->count; i++)
		rw_program_free(&src->items[i].program);
	free(src->items);
	free(src->text);
	memset(src, 0, sizeof(*src));
}
