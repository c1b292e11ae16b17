/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The terminal, through curses. It is given back as it was, whatever ends the program. */
#ifndef E4D_VIEW_SCREEN_H
#define E4D_VIEW_SCREEN_H

#include <stdbool.h>
#include "view/frame.h"

enum e4d_color { E4D_COLOR_AUTO, E4D_COLOR_NEVER, E4D_COLOR_ALWAYS };

/* Can a live view be shown here? Not into a pipe, nor on a dumb terminal. */
bool e4d_screen_possible(void);

/* Does this machine know the terminal that TERM names? */
bool e4d_screen_known(void);

/* Colour by the option, NO_COLOR, and what the terminal has. 0 or -errno. */
int e4d_screen_open(enum e4d_color color);

/* Restores the terminal; may be called twice. */
void e4d_screen_close(void);

/* The terminal's size as it is now. */
void e4d_screen_size(size_t *rows, size_t *cols);

void e4d_screen_show(const struct e4d_frame *f);

/*
 * The next key that waits (a character or enum e4d_key), 0: none. Alt with a key, and keys
 * that terminfo does not know, are none: their bytes must not act as keys of ours.
 */
int e4d_screen_key(void);

/* SIGWINCH; SIGTSTP (returns when it was continued); SIGCONT. */
void e4d_screen_resized(void);
void e4d_screen_suspend(void);
void e4d_screen_continued(void);

#endif
