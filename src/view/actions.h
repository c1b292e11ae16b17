/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What a key does to the view; arg is the table's. */
#ifndef E4D_VIEW_ACTIONS_H
#define E4D_VIEW_ACTIONS_H

#include "view/view.h"

typedef void e4d_act_fn(struct e4d_view *v, int arg);

e4d_act_fn e4d_act_quit, e4d_act_back, e4d_act_help, e4d_act_next_pane, e4d_act_pane, e4d_act_move,
	e4d_act_page, e4d_act_end, e4d_act_sideways, e4d_act_enter, e4d_act_print, e4d_act_sort,
	e4d_act_reverse, e4d_act_prompt, e4d_act_find_next, e4d_act_active, e4d_act_mode,
	e4d_act_units, e4d_act_zero, e4d_act_pause, e4d_act_step, e4d_act_speed,
	e4d_act_next_finding, e4d_act_seen, e4d_act_unfilter;

/* Enter in a line of input. */
void e4d_act_input(struct e4d_view *v);

#endif
