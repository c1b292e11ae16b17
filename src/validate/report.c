/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The formats that people read: KTAP, TAP 13, table. */
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "record/names.h"
#include "util/escape.h"
#include "util/plural.h"
#include "validate/report.h"

const char *e4d_vkernel_word(enum e4d_vkernel k)
{
	static const char *const words[] = {"pass", "fail", "skip"};

	return words[k];
}

const char *e4d_vtool_word(enum e4d_vtool t)
{
	static const char *const words[] = {"unasked", "agrees", "blind", "disagrees"};

	return words[t];
}

void e4d_vkernel_name(char *buf, size_t len)
{
	struct utsname u = {0};

	uname(&u);
	snprintf(buf, len, "%s %s", u.release, u.machine);
}

enum e4d_vtool e4d_vtool_sum(const struct e4d_vrun *r, char *why, size_t len)
{
	const struct e4d_vtracer *t = &r->tracer;

	if (!t->tier) {
		snprintf(why, len, "no tracer: judged by the disk alone (%s)",
		         *t->why ? t->why : "no case asked for it");
		return E4D_V_UNASKED;
	}
	snprintf(why, len,
	         "tier %s: agrees in %u case%s, disagrees in %u, blind in %u, %" PRIu64
	         " event%s lost%s%s",
	         e4d_tier_name(t->tier), r->agree, e4d_s(r->agree), r->disagree, r->blind, t->lost,
	         e4d_s(t->lost), *t->losses ? ": " : "", t->losses);
	if (r->disagree)
		return E4D_V_DISAGREES;
	return r->blind || t->lost ? E4D_V_BLIND : E4D_V_AGREES;
}

/* What was run on what, each line behind `lead`. */
static void print_head(const struct e4d_vrun *r, FILE *f, const char *lead)
{
	char kernel[140], dir[512];

	e4d_vkernel_name(kernel, sizeof(kernel));
	e4d_escape_text(dir, sizeof(dir), r->mount.dir, strlen(r->mount.dir));
	fprintf(f, "%sext4diotop %s validate, kernel %s\n", lead, E4D_VERSION, kernel);
	if (r->where) {
		fprintf(f, "%s%s: %s\n", lead, dir, r->where);
		return;
	}
	fprintf(f, "%s%s: ext4 on %s, blocks of %" PRIu64 " bytes, allocated by %" PRIu64 "\n",
	        lead, dir, r->mount.device, r->mount.fs.blksize, r->mount.fs.unit);
}

static void print_sum(const struct e4d_vrun *r, FILE *f, const char *lead)
{
	char reasons[1200];

	fprintf(f, "%skernel: %u passed, %u failed, %u skipped; %u write%s, %.1f s\n", lead,
	        r->passed, r->failed, r->skipped, r->writes, e4d_s(r->writes), r->seconds);
	if (!r->not_run)
		return;
	e4d_vrun_reasons(r, reasons, sizeof(reasons));
	fprintf(f, "%snot run: %s\n", lead, reasons);
}

/* Why the tracer failed, by case. */
static void print_tool_whys(const struct e4d_vrun *r, FILE *f, const char *lead)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->results[i].tool_why[0])
			fprintf(f, "%stracer: %s: %s\n", lead, r->results[i].name,
			        r->results[i].tool_why);
}

/* KTAP: what is to be said about a test stands before its line. */
static void print_ktap(const struct e4d_vrun *r, FILE *f)
{
	char sum[1200];
	enum e4d_vtool tool = e4d_vtool_sum(r, sum, sizeof(sum));

	fprintf(f, "KTAP version 1\n1..%zu\n", r->count + 1);
	print_head(r, f, "# ");
	for (size_t i = 0; i < r->count; i++) {
		const struct e4d_vresult *v = &r->results[i];

		if (v->kernel == E4D_V_FAIL)
			fprintf(f, "# %s\n", v->why);
		fprintf(f, "%s %zu %s", v->kernel == E4D_V_FAIL ? "not ok" : "ok", i + 1, v->name);
		if (v->kernel == E4D_V_SKIP)
			fprintf(f, " # SKIP %s", v->why);
		fputc('\n', f);
	}
	print_tool_whys(r, f, "# ");
	if (tool != E4D_V_UNASKED)
		fprintf(f, "# %s\n", sum);
	fprintf(f, "%s %zu tracer", tool > E4D_V_AGREES ? "not ok" : "ok", r->count + 1);
	if (tool == E4D_V_UNASKED)
		fprintf(f, " # SKIP %s", sum);
	fputc('\n', f);
	print_sum(r, f, "# ");
}

/* A sentence as a YAML scalar in single quotes, doubled where it holds one. */
static void yaml(FILE *f, const char *key, const char *text)
{
	fprintf(f, "  %s: '", key);
	for (; *text; text++)
		fprintf(f, "%s%c", *text == '\'' ? "'" : "", *text);
	fputs("'\n", f);
}

static void print_tap13(const struct e4d_vrun *r, FILE *f)
{
	char sum[1200];
	enum e4d_vtool tool = e4d_vtool_sum(r, sum, sizeof(sum));

	fprintf(f, "TAP version 13\n1..%zu\n", r->count + 1);
	print_head(r, f, "# ");
	for (size_t i = 0; i < r->count; i++) {
		const struct e4d_vresult *v = &r->results[i];

		fprintf(f, "%s %zu - %s", v->kernel == E4D_V_FAIL ? "not ok" : "ok", i + 1,
		        v->name);
		fprintf(f, v->kernel == E4D_V_SKIP ? " # SKIP %s\n" : "\n", v->why);
		if (v->kernel != E4D_V_FAIL)
			continue;
		fputs("  ---\n", f);
		yaml(f, "message", v->why);
		fprintf(f, "  ret: %" PRId64 "\n  past_eof: %" PRIu64 "\n  ...\n", v->res.ret,
		        v->truth.past_eof);
	}
	fprintf(f, "%s %zu - tracer", tool > E4D_V_AGREES ? "not ok" : "ok", r->count + 1);
	fprintf(f, tool == E4D_V_UNASKED ? " # SKIP %s\n" : "\n", sum);
	if (tool > E4D_V_AGREES) {
		fputs("  ---\n", f);
		yaml(f, "message", sum);
		for (size_t i = 0; i < r->count; i++)
			if (r->results[i].tool_why[0])
				yaml(f, r->results[i].name, r->results[i].tool_why);
		fputs("  ...\n", f);
	}
	print_sum(r, f, "# ");
}

int e4d_vname_width(const struct e4d_vrun *r)
{
	int width = 24;

	for (size_t i = 0; i < r->count; i++)
		if ((int)strlen(r->results[i].name) > width)
			width = (int)strlen(r->results[i].name);
	return width;
}

static void print_table(const struct e4d_vrun *r, FILE *f)
{
	int width = e4d_vname_width(r);
	char sum[1200];

	e4d_vtool_sum(r, sum, sizeof(sum));
	print_head(r, f, "");
	fprintf(f, "%-*s %-6s %9s %9s %9s  %s\n", width, "CASE", "RESULT", "RETURNED", "I_SIZE",
	        "PAST-EOF", "TRACER");
	for (size_t i = 0; i < r->count; i++) {
		const struct e4d_vresult *v = &r->results[i];

		if (v->kernel == E4D_V_SKIP) {
			fprintf(f, "%-*s %-6s %.47s\n", width, v->name, "skip", v->why);
			continue;
		}
		fprintf(f, "%-*s %-6s %9" PRId64 " %9" PRIu64 " %9" PRIu64 "  %s\n", width, v->name,
		        e4d_vkernel_word(v->kernel), v->res.ret, v->isize_after, v->truth.past_eof,
		        v->tool == E4D_V_AGREES && v->traced ? e4d_verdict_name(v->rec.verdict)
		                                             : e4d_vtool_word(v->tool));
	}
	print_sum(r, f, "");
	print_tool_whys(r, f, "");
	fprintf(f, "tracer: %s\n", sum);
}

const struct e4d_vformat e4d_vformats[] = {
	{"ktap", print_ktap},      {"tap13", print_tap13}, {"junit", e4d_vprint_junit},
	{"json", e4d_vprint_json}, {"table", print_table},
};

const size_t e4d_vformat_count = sizeof(e4d_vformats) / sizeof(e4d_vformats[0]);

const struct e4d_vformat *e4d_vformat_find(const char *name)
{
	for (size_t i = 0; i < e4d_vformat_count; i++)
		if (!strcmp(e4d_vformats[i].name, name))
			return &e4d_vformats[i];
	return NULL;
}
