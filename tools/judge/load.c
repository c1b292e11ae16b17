/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* JSON lines in, with the number of a line that is none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

static int add(struct jd_lines *out, json_t *obj)
{
	json_t **v;

	if (out->count == out->room) {
		size_t room = out->room ? out->room * 2 : 64;

		v = realloc(out->v, room * sizeof(json_t *));
		if (!v)
			return -ENOMEM;
		out->v = v;
		out->room = room;
	}
	out->v[out->count++] = obj;
	return 0;
}

static bool blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

/*
 * Calls fn for each line; `pos` is where it starts. With `live` the file may
 * still be written to: a last line without its end is left out.
 */
int jd_each(const char *path, bool live, jd_line_fn fn, void *ctx)
{
	FILE *f = fopen(path, "re");
	unsigned long number = 0;
	char *line = NULL;
	size_t size = 0;
	json_error_t why;
	long pos = 0;
	ssize_t len;
	int err = 0;
	json_t *obj;

	if (!f) {
		fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, path,
		        strerror(errno));
		return JD_USAGE;
	}
	for (; !err && (len = getline(&line, &size, f)) >= 0; pos += len) {
		number++;
		if (blank(line) || (live && line[len - 1] != '\n'))
			continue;
		obj = json_loads(line, JSON_REJECT_DUPLICATES, &why);
		if (!json_is_object(obj)) {
			fprintf(stderr, "%s: %s, line %lu is no JSON object: %s\n",
			        program_invocation_short_name, path, number,
			        obj ? "it is another JSON value" : why.text);
			err = JD_CORRUPT;
		} else {
			err = fn(ctx, obj, pos);
		}
		json_decref(obj);
	}
	if (!err && ferror(f)) {
		fprintf(stderr, "%s: %s: cannot read it\n", program_invocation_short_name, path);
		err = JD_CORRUPT;
	}
	free(line);
	fclose(f);
	return err;
}

static int keep(void *ctx, json_t *obj, long pos)
{
	(void)pos;
	if (add(ctx, json_incref(obj))) {
		fprintf(stderr, "%s: no memory\n", program_invocation_short_name);
		json_decref(obj);
		return JD_CORRUPT;
	}
	return 0;
}

int jd_load(const char *path, struct jd_lines *out)
{
	return jd_each(path, false, keep, out);
}

void jd_unload(struct jd_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		json_decref(lines->v[i]);
	free(lines->v);
}

long long jd_int(const json_t *obj, const char *key, bool *have)
{
	const json_t *v = json_object_get(obj, key);

	if (have)
		*have = json_is_integer(v);
	return json_integer_value(v);
}

const char *jd_str(const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s ? s : "";
}
