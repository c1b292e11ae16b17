/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdint.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "validate/select.h"

int e4d_vselect_run(struct e4d_vselect *s, const char *glob)
{
	if (s->glob_count == E4D_V_GLOBS)
		return -E2BIG;
	s->globs[s->glob_count++] = glob;
	return 0;
}

static int add(struct e4d_vselect *s, const char *name, size_t len)
{
	char **list = reallocarray(s->excluded, s->excluded_count + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	s->excluded = list;
	list[s->excluded_count] = strndup(name, len);
	if (!list[s->excluded_count])
		return -ENOMEM;
	s->excluded_count++;
	return 0;
}

int e4d_vselect_exclude(struct e4d_vselect *s, FILE *f)
{
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	errno = 0;
	while (!err && getline(&line, &room, f) >= 0) {
		char *name = line + strspn(line, " \t\r\n");
		size_t len = strcspn(name, "# \t\r\n");

		if (len)
			err = add(s, name, len);
	}
	if (!err && ferror(f))
		err = errno ? -errno : -EIO;
	free(line);
	return err;
}

bool e4d_vselect_wanted(struct e4d_vselect *s, const char *name, const char *full)
{
	bool wanted = !s->glob_count;

	for (size_t i = 0; i < s->glob_count; i++)
		if (!fnmatch(s->globs[i], name, 0) || !fnmatch(s->globs[i], full, 0))
			wanted = s->matched[i] = true;
	return wanted;
}

const char *e4d_vselect_unmatched(const struct e4d_vselect *s)
{
	for (size_t i = 0; i < s->glob_count; i++)
		if (!s->matched[i])
			return s->globs[i];
	return NULL;
}

bool e4d_vselect_excluded(const struct e4d_vselect *s, const char *name, const char *full)
{
	for (size_t i = 0; i < s->excluded_count; i++)
		if (!strcmp(s->excluded[i], name) || !strcmp(s->excluded[i], full))
			return true;
	return false;
}

void e4d_vselect_free(struct e4d_vselect *s)
{
	for (size_t i = 0; i < s->excluded_count; i++)
		free(s->excluded[i]);
	free(s->excluded);
	memset(s, 0, sizeof(*s));
}
