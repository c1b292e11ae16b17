/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/compare.h"
#include "util/log.h"
#include "validate/diff.h"

enum e4d_exit e4d_compare_read(struct e4d_vsaved *s, const char *path)
{
	char why[400] = "";
	int err = e4d_vsaved_read(s, path, why, sizeof(why));

	if (!err)
		return E4D_EXIT_CLEAN;
	e4d_err("%s: %s", path, err == -ENOMEM ? strerror(ENOMEM) : why);
	if (err == -EBADMSG)
		return E4D_EXIT_CORRUPT;
	return err == -ENOMEM ? E4D_EXIT_CANNOT : E4D_EXIT_USAGE;
}

enum e4d_exit e4d_compare(const struct e4d_vsaved *old, const struct e4d_vsaved *new,
                          const char *format)
{
	struct e4d_vdiff d;
	enum e4d_exit code = E4D_EXIT_CANNOT;

	if (e4d_vdiff_make(&d, old, new)) {
		e4d_err("%s", strerror(ENOMEM));
		return code;
	}
	if (!strcmp(format, "json"))
		e4d_vdiff_json(&d, stdout);
	else
		e4d_vdiff_table(&d, stdout);
	code = e4d_vdiff_exit(&d);
	if (code == E4D_EXIT_NOTHING)
		e4d_err("no case ran on both sides: nothing to compare");
	e4d_vdiff_free(&d);
	return code;
}

enum e4d_exit e4d_compare_files(const char *old, const char *new, const char *format)
{
	struct e4d_vsaved a = {0}, b = {0};
	enum e4d_exit code = e4d_compare_read(&a, old);

	if (!code)
		code = e4d_compare_read(&b, new);
	if (!code)
		code = e4d_compare(&a, &b, format);
	e4d_vsaved_free(&a);
	e4d_vsaved_free(&b);
	return code;
}

/* By way of the same JSON that a file holds: one reader, one meaning. */
enum e4d_exit e4d_compare_run(const struct e4d_vsaved *old, const struct e4d_vrun *r,
                              const char *format)
{
	enum e4d_exit code = E4D_EXIT_CANNOT;
	struct e4d_vsaved new = {0};
	char *text = NULL, why[400];
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int err = f ? 0 : -errno;

	if (f) {
		e4d_vprint_json(r, f);
		if (fclose(f))
			err = -errno;
	}
	if (!err)
		err = e4d_vsaved_parse(&new, text, len, why, sizeof(why));
	if (err)
		e4d_err("%s", strerror(-err));
	else
		code = e4d_compare(old, &new, format);
	e4d_vsaved_free(&new);
	free(text);
	return code;
}
