/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Questions to file systems, which may hang: a process of its own asks, and the view goes on. */
#ifndef E4D_VIEW_BESIDE_H
#define E4D_VIEW_BESIDE_H

/*
 * Runs answer(to, ctx) in a grandchild, which is nobody's zombie, and ends with it. What it
 * writes to `to` can be read from the descriptor that is returned (O_NONBLOCK), the
 * caller's to close; -errno. When that is closed, the next write ends the grandchild.
 */
int e4d_beside(void (*answer)(int to, void *ctx), void *ctx);

#endif
