/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * From the records' CLOCK_BOOTTIME to the wall clock. The offset belongs to
 * one boot and to one moment (the wall clock can be set): a live session
 * measures it, a dump stores it.
 */
#ifndef E4D_CLOCK_H
#define E4D_CLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* "2026-05-04T13:02:11.123456789+02:00" and the terminator fit. */
#define E4D_TIME_MAX 40

struct e4d_clock {
	__s64 boot_to_real_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME, ns */
	bool utc;              /* print Z instead of the local offset */
	/* the second that was broken down last; zero it to start */
	bool cached;
	__u64 from_ns; /* CLOCK_BOOTTIME where it begins */
	char date[24]; /* "2026-05-04T13:02:11." */
	char zone[8];  /* "+02:00" or "Z" */
	size_t len;    /* of a time in that zone */
};

/* CLOCK_BOOTTIME, as the records have it, ns. */
__u64 e4d_boot_ns(void);

/* Measures boot_to_real_ns and clears the rest. Returns 0 or -errno. */
int e4d_clock_measure(struct e4d_clock *clock);

/*
 * Writes boot_ns as RFC 3339 with nanoseconds to buf, terminated; returns the
 * length (below E4D_TIME_MAX). Bytes 11 to 18 are HH:MM:SS.
 */
size_t e4d_clock_format(struct e4d_clock *clock, __u64 boot_ns, char buf[E4D_TIME_MAX]);

#endif
