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

int jd_load(const char *path, struct jd_lines *out)
{
	FILE *f = fopen(path, "re");
	unsigned long number = 0;
	char *line = NULL;
	size_t size = 0;
	json_error_t why;
	int err = 0;
	json_t *obj;

	if (!f) {
		fprintf(stderr, "judge: %s: %s\n", path, strerror(errno));
		return JD_USAGE;
	}
	while (!err && getline(&line, &size, f) >= 0) {
		number++;
		if (blank(line))
			continue;
		obj = json_loads(line, JSON_REJECT_DUPLICATES, &why);
		if (!json_is_object(obj)) {
			fprintf(stderr, "judge: %s, line %lu is no JSON object: %s\n", path, number,
			        obj ? "it is another JSON value" : why.text);
			json_decref(obj);
			err = JD_CORRUPT;
		} else if (add(out, obj)) {
			fprintf(stderr, "judge: no memory\n");
			json_decref(obj);
			err = JD_CORRUPT;
		}
	}
	if (!err && ferror(f)) {
		fprintf(stderr, "judge: %s: cannot read it\n", path);
		err = JD_CORRUPT;
	}
	free(line);
	fclose(f);
	return err;
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
