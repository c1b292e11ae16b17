/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include "util/limit.h"

rlim_t e4d_limit_raise(int resource)
{
	struct rlimit rl;

	if (getrlimit(resource, &rl))
		return RLIM_INFINITY;
	if (rl.rlim_cur != rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		if (setrlimit(resource, &rl))
			getrlimit(resource, &rl);
	}
	return rl.rlim_cur;
}
