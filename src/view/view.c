/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "view/columns.h"

void e4d_view_init(struct e4d_view *v, struct e4d_model *m)
{
	memset(v, 0, sizeof(*v));
	v->m = m;
	v->interval = 1;
	v->speed = 1;
	v->playing = true;
	v->list_rows = 1;
	v->width = 80;
	for (int p = 0; p < E4D_PANE_COUNT; p++)
		v->place[p].sort = e4d_panes[p].sort;
}

void e4d_view_free(struct e4d_view *v)
{
	e4d_detail_close(&v->detail);
	e4d_filter_free(v->filter);
	free(v->entry);
	memset(v, 0, sizeof(*v));
}

void e4d_view_say(struct e4d_view *v, bool alarm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->message, sizeof(v->message), fmt, ap);
	va_end(ap);
	v->alarm = alarm;
}

int e4d_view_set_filter(struct e4d_view *v, const char *text)
{
	char why[E4D_FILTER_ERR] = "";
	struct e4d_filter *f = NULL;
	int err = 0;

	if (text[strspn(text, " ")])
		err = e4d_filter_parse(text, &f, why, sizeof(why));
	if (err) {
		e4d_view_say(v, true, "%s", why);
		return err;
	}
	e4d_filter_free(v->filter);
	v->filter = f;
	return 0;
}
