/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Between report.c and report_json.c. */
#ifndef E4D_WRAP_INTERNAL_H
#define E4D_WRAP_INTERNAL_H

#include "sink/sink.h"
#include "wrap/report.h"

/* Appends the document to the JSON sink's buffer. */
void e4d_wrap_json(const struct e4d_wrap_result *r, struct e4d_sink *sink);

#endif
