/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd/cmd.h"
#include "record/names.h"
#include "util/log.h"

#define MAX_RING (1u << 30)

enum {
	OPT_ALL = 256,
	OPT_FILTER,
	OPT_TIER,
	OPT_JSON,
	OPT_CSV,
	OPT_CONFIRM,
	OPT_STRICT,
	OPT_DURATION,
	OPT_BUFFER,
	OPT_IN_FLIGHT,
	OPT_SELF
};

static const struct option longopts[] = {
	{"all", no_argument, NULL, OPT_ALL},
	{"filter", required_argument, NULL, OPT_FILTER},
	{"tier", required_argument, NULL, OPT_TIER},
	{"json", no_argument, NULL, OPT_JSON},
	{"csv", no_argument, NULL, OPT_CSV},
	{"confirm", no_argument, NULL, OPT_CONFIRM},
	{"strict", no_argument, NULL, OPT_STRICT},
	{"duration", required_argument, NULL, OPT_DURATION},
	{"buffer", required_argument, NULL, OPT_BUFFER},
	{"in-flight", required_argument, NULL, OPT_IN_FLIGHT},
	{"self", no_argument, NULL, OPT_SELF},
	{"number", required_argument, NULL, 'n'},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int usage_error(const char *cmd)
{
	fprintf(stderr, "Try 'ext4diotop %s --help'.\n", cmd);
	return E4D_EXIT_USAGE;
}

int e4d_getopt(int argc, char **argv, const char *shortopts, const struct option *own)
{
	char *cmd = argv[0];
	int c;

	argv[0] = (char *)"ext4diotop";
	c = getopt_long(argc, argv, shortopts, own, NULL);
	argv[0] = cmd;
	return c;
}

int e4d_opts_filter(struct e4d_filter **filter, const char *text)
{
	char err[E4D_FILTER_ERR] = "out of memory";
	int rc = *filter ? e4d_filter_add(*filter, text, err, sizeof(err))
	                 : e4d_filter_parse(text, filter, err, sizeof(err));

	if (rc)
		e4d_err("%s", err);
	return rc;
}

int e4d_opts_count(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || *end || end == text || !isdigit((unsigned char)*text) || !*out) {
		e4d_err("-n wants a whole number above 0, not '%s'", text);
		return -EINVAL;
	}
	return 0;
}

static int parse_duration(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	if (end == text || (*end && strcmp(end, "s")) || !isfinite(*out) || *out <= 0 ||
	    *out > 1e9) {
		e4d_err("--duration wants seconds above 0, not '%s'", text);
		return -EINVAL;
	}
	return 0;
}

/* A number of bytes, with K or M; or of things, without. */
static int parse_limit(const char *option, const char *text, uint64_t max, uint32_t *out)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*end == 'K' || *end == 'k')
		v = v > max ? v : v << 10, end++;
	else if (*end == 'M' || *end == 'm')
		v = v > max ? v : v << 20, end++;
	if (errno || *end || end == text || !isdigit((unsigned char)*text) || !v || v > max) {
		e4d_err("%s wants a number from 1 to %llu (K and M may follow), not '%s'", option,
		        (unsigned long long)max, text);
		return -EINVAL;
	}
	*out = v;
	return 0;
}

static int parse_tier(const char *text, enum e4d_tier *out)
{
	int tier = e4d_name_value(&e4d_tiers, text, strlen(text));

	if (tier <= E4D_TIER_NONE) {
		e4d_err("--tier wants fentry, kprobe or tracepoint, not '%s'", text);
		return -EINVAL;
	}
	*out = tier;
	return 0;
}

static int parse_one(struct e4d_opts *o, int c)
{
	switch (c) {
	case OPT_ALL:
		o->all = true;
		return 0;
	case OPT_FILTER:
		return e4d_opts_filter(&o->filter, optarg);
	case OPT_TIER:
		return parse_tier(optarg, &o->tier);
	case OPT_JSON:
		o->format = "json";
		return 0;
	case OPT_CSV:
		o->format = "csv";
		return 0;
	case OPT_CONFIRM:
		o->confirm = true;
		return 0;
	case OPT_STRICT:
		o->strict = true;
		return 0;
	case OPT_DURATION:
		return parse_duration(optarg, &o->duration);
	case OPT_BUFFER:
		return parse_limit("--buffer", optarg, MAX_RING, &o->limits.ring_bytes);
	case OPT_IN_FLIGHT:
		return parse_limit("--in-flight", optarg, E4D_SLOTS, &o->limits.in_flight);
	case OPT_SELF:
		o->self = true;
		return 0;
	case 'n':
		return e4d_opts_count(optarg, &o->count);
	case 'q':
		o->quiet = true;
		return 0;
	default:
		return -EINVAL;
	}
}

#define N_COMMON (sizeof(longopts) / sizeof(longopts[0]) - 1)
#define MAX_OWN  16

/* The command's own options first, then the common ones with their end. */
static void join(const struct e4d_own_opts *own, struct option *all, char *shortopts, size_t len)
{
	size_t n = 0;

	while (own && n < MAX_OWN && own->longopts[n].name) {
		all[n] = own->longopts[n];
		n++;
	}
	memcpy(all + n, longopts, sizeof(longopts));
	snprintf(shortopts, len, "%sn:qh%s", own && own->operands ? "+" : "",
	         own ? own->shortopts : "");
}

static bool is_own(const struct e4d_own_opts *own, int c)
{
	return own &&
	       (c >= E4D_OPT_OWN || (c > 0 && c < 256 && c != ':' && strchr(own->shortopts, c)));
}

int e4d_opts_parse_own(struct e4d_opts *o, int argc, char **argv, const char *help,
                       const struct e4d_own_opts *own)
{
	struct option all[MAX_OWN + N_COMMON + 1];
	char shortopts[64];
	int c;

	memset(o, 0, sizeof(*o));
	o->format = "text";
	join(own, all, shortopts, sizeof(shortopts));
	optind = 0;
	while ((c = e4d_getopt(argc, argv, shortopts, all)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return E4D_EXIT_CLEAN;
		}
		if (is_own(own, c) ? own->parse(own->ctx, c) : parse_one(o, c))
			return usage_error(argv[0]);
	}
	if (optind < argc && !(own && own->operands)) {
		e4d_err("'%s' is not an option of %s", argv[optind], argv[0]);
		return usage_error(argv[0]);
	}
	if (o->quiet)
		e4d_log_set_level(E4D_LOG_WARN);
	return E4D_OPTS_RUN;
}

int e4d_opts_parse(struct e4d_opts *o, int argc, char **argv, const char *help)
{
	return e4d_opts_parse_own(o, argc, argv, help, NULL);
}

void e4d_opts_free(struct e4d_opts *o)
{
	e4d_filter_free(o->filter);
	o->filter = NULL;
}
