/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What doctor's checks report, and how it is printed. */
#ifndef E4D_DOCTOR_H
#define E4D_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum e4d_level { E4D_PASS, E4D_WARN, E4D_FAIL };

struct e4d_report {
	bool json;
	int failed, warned;
	const char *last; /* remedy of the line before; static text */
};

/* One line of the report; remedy may be NULL. */
void e4d_report_line(struct e4d_report *rep, enum e4d_level level, const char *check,
                     const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * Makes one direct write on an unnamed file in dir (or on the first writable
 * ext4 mount when dir is NULL) under the best tier, and looks for its record.
 */
void e4d_doctor_live(struct e4d_report *rep, const char *dir);

/* Prints the verifier's counts of every tier that loads; an exit code. */
int e4d_doctor_verifier(void);

#endif
