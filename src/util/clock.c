/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/outbuf.h"

#define NSEC     1000000000LL
#define DATE_LEN 20

static __s64 to_ns(const struct timespec *ts)
{
	return (__s64)ts->tv_sec * NSEC + ts->tv_nsec;
}

__u64 e4d_boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (__u64)to_ns(&ts);
}

int e4d_clock_measure(struct e4d_clock *clock)
{
	__s64 best = 0;

	memset(clock, 0, sizeof(*clock));
	/* of several tries the one that was interrupted least */
	for (int i = 0; i < 8; i++) {
		struct timespec b0, real, b1;
		__s64 width;

		if (clock_gettime(CLOCK_BOOTTIME, &b0) || clock_gettime(CLOCK_REALTIME, &real) ||
		    clock_gettime(CLOCK_BOOTTIME, &b1))
			return -errno;
		width = to_ns(&b1) - to_ns(&b0);
		if (i && width >= best)
			continue;
		best = width;
		clock->boot_to_real_ns = to_ns(&real) - to_ns(&b0) - width / 2;
	}
	return 0;
}

static void break_down(struct e4d_clock *clock, __s64 sec)
{
	time_t t = (time_t)sec;
	struct tm tm;
	long off;

	memset(&tm, 0, sizeof(tm));
	if (clock->utc || !localtime_r(&t, &tm))
		gmtime_r(&t, &tm);
	off = tm.tm_gmtoff / 60;
	/* the year cannot leave 1677..2846: u64 ns plus s64 ns */
	strftime(clock->date, sizeof(clock->date), "%Y-%m-%dT%H:%M:%S.", &tm);
	if (off == 0)
		strcpy(clock->zone, "Z");
	else
		snprintf(clock->zone, sizeof(clock->zone), "%c%02u:%02u", off < 0 ? '-' : '+',
		         (unsigned int)(off < 0 ? -off : off) / 60 % 100,
		         (unsigned int)(off < 0 ? -off : off) % 60);
	clock->len = DATE_LEN + 9 + strlen(clock->zone);
}

/* Makes the second of boot_ns the cached one; returns the ns in it. */
static __u32 new_second(struct e4d_clock *clock, __u64 boot_ns)
{
	__s64 sec = (__s64)(boot_ns / NSEC) + clock->boot_to_real_ns / NSEC;
	__s64 ns = (__s64)(boot_ns % NSEC) + clock->boot_to_real_ns % NSEC;

	if (ns < 0) {
		ns += NSEC;
		sec--;
	} else if (ns >= NSEC) {
		ns -= NSEC;
		sec++;
	}
	break_down(clock, sec);
	/* a second that began before the boot has no beginning on this clock */
	clock->cached = boot_ns >= (__u64)ns;
	clock->from_ns = boot_ns - (__u64)ns;
	return (__u32)ns;
}

size_t e4d_clock_format(struct e4d_clock *clock, __u64 boot_ns, char buf[E4D_TIME_MAX])
{
	__u64 ns = boot_ns - clock->from_ns;

	if (!clock->cached || boot_ns < clock->from_ns || ns >= NSEC)
		ns = new_second(clock, boot_ns);
	memcpy(buf, clock->date, DATE_LEN);
	buf[DATE_LEN] = (char)('0' + ns / 100000000);
	e4d_put_digits8(buf + DATE_LEN + 1, (__u32)(ns % 100000000));
	memcpy(buf + DATE_LEN + 9, clock->zone, sizeof(clock->zone));
	return clock->len;
}
