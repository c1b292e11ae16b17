/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#ifndef E4D_VIEW_SAVE_H
#define E4D_VIEW_SAVE_H

#include "view/view.h"

/*
 * Writes the last writes that the model has and the filters let through, with paths,
 * marks and losses, as a trace dump into the new directory `name`; says how it went.
 */
void e4d_view_save(struct e4d_view *v, const char *name);

#endif
