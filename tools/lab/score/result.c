/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The classes, and what is said about an episode. */
#include <stdarg.h>
#include <string.h>

#include "score.h"

#define BAD  .bad = true
#define FAIL .bad = true, .fail = true
#define MAIN .main = true

const struct sc_column sc_columns[SC_COUNT] = {
	[SC_EPISODES] = {"episodes", "episodes"},
	[SC_WRITES] = {"writes", "writes", MAIN},
	[SC_RECORDS] = {"records", "records", MAIN},
	[SC_UNKNOWN_RECORDS] = {"unknown_records", "unknown records"},
	[SC_DISK_LEAKS] = {"disk_leaks", "leaks", MAIN},
	[SC_AGREE] = {"agree", "agree"},
	[SC_HITS] = {"hits", "hits", MAIN},
	[SC_MISSES] = {"misses", "misses", FAIL, MAIN},
	[SC_FALSE_ALARMS] = {"false_alarms", "false", FAIL, MAIN},
	[SC_INEXACT] = {"inexact", "inexact", BAD, MAIN},
	[SC_UNKNOWN] = {"unknown", "unknown", BAD, MAIN},
	[SC_HEALED] = {"healed", "healed", MAIN},
	[SC_UNCLEAR] = {"unclear", "unclear"},
	[SC_UNSEEN] = {"unseen", "unseen", MAIN},
	[SC_MISSING] = {"missing", "missing", FAIL, MAIN},
	[SC_LOST] = {"lost_writes", "lost", MAIN},
	[SC_LOST_EPISODES] = {"lost_episodes", "lost episodes"},
	[SC_MISMATCH] = {"mismatch", "mismatch", BAD},
	[SC_LOST_DATA_HITS] = {"lost_data_hits", "lost data hits"},
	[SC_LOST_DATA_MISSES] = {"lost_data_misses", "lost data misses", FAIL},
	[SC_OVERTRIM_FALSE] = {"overtrim_false", "overtrim false", FAIL},
	[SC_OVERTRIM_UNCHECKED] = {"overtrim_unchecked", "overtrim unchecked"},
	[SC_CORRUPT_DATA] = {"corrupt_data", "corrupt data", BAD},
	[SC_STRAY] = {"stray", "stray", BAD},
};

void sc_set(struct sc_result *res, enum sc_count what)
{
	res->set |= 1ULL << what;
}

bool sc_has(const struct sc_result *res, enum sc_count what)
{
	return res->set >> what & 1;
}

void sc_say(struct sc_result *res, enum sc_count what, const char *fmt, ...)
{
	size_t len = strlen(res->why), room = sizeof(res->why) - len;
	va_list ap;
	int n;

	sc_set(res, what);
	n = snprintf(res->why + len, room, "%s: ", sc_columns[what].key);
	if (n < 0 || (size_t)n >= room - 2)
		return;
	len += (size_t)n;
	va_start(ap, fmt);
	vsnprintf(res->why + len, sizeof(res->why) - len - 1, fmt, ap);
	va_end(ap);
	strcat(res->why, "\n");
}
