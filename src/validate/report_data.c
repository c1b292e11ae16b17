/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The formats that programs read. JSON, one document:
 * {"version":1,"program":"ext4diotop 0.1.0","kernel":"6.12.1 x86_64","dir":"/mnt",
 *  "device":"loop0","blksize":4096,"unit":4096,
 *  "cases":[{"name":"pwrite/append-fault","result":"fail","why":"past-eof: ...",
 *    "ret":-14,"offset":0,"submitted":262144,"isize_before":0,"isize_after":7680,
 *    "past_eof":253952,"prealloc":0,"allocated":262144,"seconds":0.014,
 *    "tracer":"agrees","tracer_why":"","verdict":"leak"}, ...],
 *  "tracer":{"result":"agrees","tier":"tracepoint","why":"...","lost":0},
 *  "passed":48,"failed":31,"skipped":0,"writes":80,"seconds":2.1}
 * A case that was skipped because the run was cut short, or the environment made trouble,
 * has "not_run":true.
 * --lab has "lab":"5 images of ..." in place of device, blksize and unit.
 */
#include <inttypes.h>
#include <string.h>

#include "record/names.h"
#include "util/escape.h"
#include "validate/report.h"

static void json_str(FILE *f, const char *key, const char *text, const char *end)
{
	char out[E4D_ESCAPE_JSON_MAX] = "";

	fprintf(f, "\"%s\":\"", key);
	for (size_t len = strlen(text), n; len; text += n, len -= n) {
		__u32 cp;

		n = e4d_utf8_decode(text, len, &cp);
		n = n ? n : 1;
		fwrite(out, (size_t)(e4d_escape_json(out, text, n) - out), 1, f);
	}
	fprintf(f, "\"%s", end);
}

static void json_case(const struct e4d_vresult *v, FILE *f)
{
	fputc('{', f);
	json_str(f, "name", v->name, ",");
	json_str(f, "result", e4d_vkernel_word(v->kernel), ",");
	json_str(f, "why", v->why, "");
	if (v->not_run)
		fputs(",\"not_run\":true", f);
	if (v->kernel != E4D_V_SKIP) {
		fprintf(f, ",\"ret\":%" PRId64 ",\"offset\":%" PRIu64 ",\"submitted\":%" PRIu64,
		        v->res.ret, v->res.offset, v->res.submitted);
		fprintf(f, ",\"isize_before\":%" PRIu64 ",\"isize_after\":%" PRIu64,
		        v->res.isize_before, v->isize_after);
		fprintf(f,
		        ",\"past_eof\":%" PRIu64 ",\"prealloc\":%" PRIu64 ",\"allocated\":%" PRIu64,
		        v->truth.past_eof, v->truth.prealloc, v->truth.allocated);
		fprintf(f, ",\"seconds\":%.3f,", v->seconds);
		json_str(f, "tracer", e4d_vtool_word(v->tool), ",");
		json_str(f, "tracer_why", v->tool_why, "");
	}
	if (v->traced)
		fprintf(f, ",\"verdict\":\"%s\"", e4d_verdict_name(v->rec.verdict));
	fputc('}', f);
}

void e4d_vprint_json(const struct e4d_vrun *r, FILE *f)
{
	char kernel[140], sum[1200];
	enum e4d_vtool tool = e4d_vtool_sum(r, sum, sizeof(sum));

	e4d_vkernel_name(kernel, sizeof(kernel));
	fputs("{\"version\":1,", f);
	json_str(f, "program", "ext4diotop " E4D_VERSION, ",");
	json_str(f, "kernel", kernel, ",");
	json_str(f, "dir", r->mount.dir, ",");
	if (r->where) {
		json_str(f, "lab", r->where, ",");
	} else {
		json_str(f, "device", r->mount.device, ",");
		fprintf(f, "\"blksize\":%" PRIu64 ",\"unit\":%" PRIu64 ",", r->mount.fs.blksize,
		        r->mount.fs.unit);
	}
	fputs("\n\"cases\":[", f);
	for (size_t i = 0; i < r->count; i++) {
		fputs(i ? ",\n" : "\n", f);
		json_case(&r->results[i], f);
	}
	fputs("],\n\"tracer\":{", f);
	json_str(f, "result", e4d_vtool_word(tool), ",");
	json_str(f, "tier", r->tracer.tier ? e4d_tier_name(r->tracer.tier) : "none", ",");
	json_str(f, "why", sum, "");
	fprintf(f, ",\"lost\":%" PRIu64 "},\n", r->tracer.lost);
	fprintf(f, "\"passed\":%u,\"failed\":%u,\"skipped\":%u,\"writes\":%u,\"seconds\":%.3f}\n",
	        r->passed, r->failed, r->skipped, r->writes, r->seconds);
}

/* Text of an XML document; what is no text is shown as \xNN. */
static void xml_text(FILE *f, const char *text)
{
	char safe[1200];

	e4d_escape_line(safe, sizeof(safe), text, strlen(text));
	for (const char *p = safe; *p; p++)
		switch (*p) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*p, f);
		}
}

static void xml(FILE *f, const char *key, const char *text)
{
	fprintf(f, " %s=\"", key);
	xml_text(f, text);
	fputc('"', f);
}

static void junit_case(const struct e4d_vresult *v, FILE *f)
{
	fputs("  <testcase classname=\"ext4diotop.kernel\"", f);
	xml(f, "name", v->name);
	fprintf(f, " time=\"%.3f\"", v->seconds);
	if (v->kernel == E4D_V_PASS) {
		fputs("/>\n", f);
		return;
	}
	fprintf(f, "><%s", v->kernel == E4D_V_FAIL ? "failure" : "skipped");
	xml(f, "message", v->why);
	fputs("/></testcase>\n", f);
}

/* The sum, and below it a line for each case that the tracer failed. */
static void junit_tool(const struct e4d_vrun *r, FILE *f)
{
	char sum[1200];
	enum e4d_vtool tool = e4d_vtool_sum(r, sum, sizeof(sum));
	const char *element = tool == E4D_V_UNASKED ? "skipped" : "error";

	fputs("  <testcase classname=\"ext4diotop.tool\" name=\"tracer\" time=\"0\"", f);
	if (tool == E4D_V_AGREES) {
		fputs("/>\n", f);
		return;
	}
	fprintf(f, "><%s", element);
	xml(f, "message", sum);
	fputc('>', f);
	for (size_t i = 0; i < r->count; i++) {
		if (!r->results[i].tool_why[0])
			continue;
		xml_text(f, r->results[i].name);
		fputs(": ", f);
		xml_text(f, r->results[i].tool_why);
		fputc('\n', f);
	}
	fprintf(f, "</%s></testcase>\n", element);
}

/* The kernel's cases are failures, what is wrong with the tracer is an error. */
void e4d_vprint_junit(const struct e4d_vrun *r, FILE *f)
{
	char kernel[140], sum[1200];
	enum e4d_vtool tool = e4d_vtool_sum(r, sum, sizeof(sum));

	e4d_vkernel_name(kernel, sizeof(kernel));
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", f);
	fprintf(f, "<testsuite name=\"ext4diotop validate\" tests=\"%zu\" failures=\"%u\"",
	        r->count + 1, r->failed);
	fprintf(f, " errors=\"%d\" skipped=\"%u\" time=\"%.3f\">\n", tool > E4D_V_AGREES,
	        r->skipped + (tool == E4D_V_UNASKED), r->seconds);
	fputs("  <properties><property name=\"kernel\"", f);
	xml(f, "value", kernel);
	fputs("/><property name=\"dir\"", f);
	xml(f, "value", r->mount.dir);
	fputs("/></properties>\n", f);
	for (size_t i = 0; i < r->count; i++)
		junit_case(&r->results[i], f);
	junit_tool(r, f);
	fputs("</testsuite>\n</testsuites>\n", f);
}
