/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the keys do, by one table that is the help as well. */
#ifndef E4D_VIEW_KEYS_H
#define E4D_VIEW_KEYS_H

#include "util/outbuf.h"
#include "view/view.h"

/* Keys that are no character; characters are their own code. */
enum e4d_key {
	E4D_KEY_UP = 0x110000,
	E4D_KEY_DOWN,
	E4D_KEY_LEFT,
	E4D_KEY_RIGHT,
	E4D_KEY_PAGE_UP,
	E4D_KEY_PAGE_DOWN,
	E4D_KEY_HOME,
	E4D_KEY_END,
	E4D_KEY_BACKSPACE,
	E4D_KEY_F1,
	E4D_KEY_F3,
	E4D_KEY_F4,
	E4D_KEY_F6,
	E4D_KEY_F10,
	E4D_KEY_BACK_TAB,
};

/* A key was pressed; what it did is seen at the next drawing. */
void e4d_key(struct e4d_view *v, int key);

/* The help, as lines of at most 80 columns. */
void e4d_keys_help(const struct e4d_view *v, struct e4d_outbuf *ob);

/* The last line: the keys that matter here. */
void e4d_keys_line(const struct e4d_view *v, struct e4d_frame *f, size_t y);

#endif
