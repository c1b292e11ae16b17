/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The lab's table of cases. */
#ifndef E4D_WL_CASES_H
#define E4D_WL_CASES_H

#include "workload/workload.h"

extern const struct wl_case wl_cases[];
extern const size_t wl_case_count;

#endif
