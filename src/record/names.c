/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "record/names.h"

static const char *const verdict_words[E4D_VERDICT_COUNT] = {
	[E4D_UNKNOWN] = "unknown",         [E4D_CLEAN] = "clean",       [E4D_TRIMMED] = "trimmed",
	[E4D_REUSED] = "reused",           [E4D_PREALLOC] = "prealloc", [E4D_LEAK] = "leak",
	[E4D_TRIM_FAILED] = "trim-failed", [E4D_EXPOSED] = "exposed",
};

static const char *const evidence_words[E4D_EVIDENCE_COUNT] = {
	[E4D_OBSERVED] = "observed",
	[E4D_INFERRED] = "inferred",
	[E4D_CONFIRMED] = "confirmed",
	[E4D_REFUTED] = "refuted",
};

static const char *const tier_words[E4D_TIER_COUNT] = {
	[E4D_TIER_NONE] = "none",
	[E4D_TIER_FENTRY] = "fentry",
	[E4D_TIER_KPROBE] = "kprobe",
	[E4D_TIER_TRACEPOINT] = "tracepoint",
};

/* bit 11 (E4D_F_ORPHAN) is the field `orphan`, not a word */
static const char *const flag_words[E4D_FLAG_COUNT] = {
	"extend",    "async",  "sync", "nowait", "dsync",    "append",     "unaligned",    "new",
	"unwritten", "atomic", "dax",  NULL,     "overtrim", "size-moved", "async-extend",
};

static const char *const doubt_words[E4D_DOUBT_COUNT] = {"lost", "half", "race", "settle"};

const struct e4d_names e4d_verdicts = {"verdict", verdict_words, E4D_VERDICT_COUNT};
const struct e4d_names e4d_evidences = {"evidence", evidence_words, E4D_EVIDENCE_COUNT};
const struct e4d_names e4d_tiers = {"tier", tier_words, E4D_TIER_COUNT};
const struct e4d_names e4d_flags = {"flags", flag_words, E4D_FLAG_COUNT};
const struct e4d_names e4d_doubts = {"doubt", doubt_words, E4D_DOUBT_COUNT};

const char *e4d_name(const struct e4d_names *names, unsigned int value)
{
	if (value >= names->count || !names->word[value])
		return "invalid";
	return names->word[value];
}

int e4d_name_value(const struct e4d_names *names, const char *word, size_t len)
{
	for (unsigned int i = 0; i < names->count; i++) {
		const char *w = names->word[i];

		if (w && strlen(w) == len && !memcmp(w, word, len))
			return (int)i;
	}
	return -EINVAL;
}

void e4d_name_list(const struct e4d_names *names, char *buf, size_t size)
{
	size_t len = 0;

	if (size)
		buf[0] = 0;
	for (unsigned int i = 0; i < names->count && len < size; i++) {
		if (!names->word[i])
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
		                        names->word[i]);
	}
}
