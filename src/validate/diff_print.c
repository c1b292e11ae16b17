/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * old: kernel 6.12.117+deb13-amd64 x86_64, ext4diotop 0.1.0
 *      /mnt: ext4 on loop0, blocks of 4096 bytes, allocated by 4096
 *      41 passed, 32 failed, 0 skipped; tracer agrees
 * new: ...
 * CHANGE    CASE                     OLD   NEW
 * broken    pwrite/append            pass  fail
 *           new: past-eof: 253952 bytes of blocks past EOF that were not there before
 * mended    pwrite/append-fault      fail  pass
 * 1 broken, 32 mended, 0 still failing (0 otherwise), 40 still passing
 * 73 ran on both sides; 0 new, 0 tested only now, 0 no longer, 0 vanished
 *
 * JSON, one document:
 * {"version":1,"program":"ext4diotop 0.1.0","comparison":true,
 *  "old":{"program":...,"kernel":...,"dir":...,"device":...,"blksize":4096,"unit":4096,
 *    "passed":41,"failed":32,"skipped":0,"tracer":"agrees"},
 *  "new":{...},
 *  "cases":[{"name":"pwrite/append-fault","change":"mended","old":"fail","new":"pass",
 *    "old_why":"size: ...","new_why":""}, ...],        (old or new null: not there)
 *  "counts":{"broken":0,"mended":32,...},"comparable":73,"exit":0}
 */
#include <inttypes.h>
#include <string.h>

#include "util/escape.h"
#include "validate/diff.h"
#include "validate/report.h"

#define NAME_LEAST 24
#define NAME_MOST  48

/* Text of a file that anybody may have written. */
static void put(FILE *f, const char *text)
{
	char out[1200];

	e4d_escape_line(out, sizeof(out), text, strlen(text));
	fputs(out, f);
}

static void side(const char *which, const struct e4d_vsaved *s, FILE *f)
{
	fprintf(f, "%s: kernel ", which);
	put(f, s->kernel);
	fputs(", ", f);
	put(f, s->program);
	fputs("\n     ", f);
	put(f, s->dir);
	fputs(": ext4 on ", f);
	put(f, s->device);
	fprintf(f, ", blocks of %" PRIu64 " bytes, allocated by %" PRIu64 "\n", s->blksize,
	        s->unit);
	fprintf(f, "     %u passed, %u failed, %u skipped; tracer %s\n", s->passed, s->failed,
	        s->skipped, e4d_vtool_word(s->tool));
}

static const char *word(const struct e4d_vsaved_case *c)
{
	return c ? e4d_vkernel_word(c->kernel) : "-";
}

static void why(const char *which, const struct e4d_vsaved_case *c, FILE *f)
{
	if (!c || !c->why[0])
		return;
	fprintf(f, "          %s: ", which);
	put(f, c->why);
	fputc('\n', f);
}

static void row(const struct e4d_vpair *p, int width, FILE *f)
{
	char safe[4 * NAME_MOST + 1];

	e4d_escape_text(safe, sizeof(safe), p->name, strlen(p->name));
	fprintf(f, "%-9s %-*s %-5s %s\n", e4d_vchange_word(p->change), width, safe, word(p->old),
	        word(p->new));
	if (p->change == E4D_V_MENDED || p->change == E4D_V_FAILS)
		return; /* what failed was known; the JSON has it */
	why("old", p->old, f);
	why("new", p->new, f);
}

void e4d_vdiff_table(const struct e4d_vdiff *d, FILE *f)
{
	const unsigned int *n = d->n;
	size_t width = NAME_LEAST, shown = 0;

	for (; shown < d->count && d->pairs[shown].change < E4D_V_PASSES; shown++) {
		size_t len = strlen(d->pairs[shown].name);

		width = len > width ? len : width;
	}
	width = width > NAME_MOST ? NAME_MOST : width;
	side("old", d->old, f);
	side("new", d->new, f);
	if (!strcmp(d->old->kernel, d->new->kernel))
		fputs("note: the kernels have the same name\n", f);
	if (d->old->blksize != d->new->blksize || d->old->unit != d->new->unit)
		fputs("note: the file systems differ in the size of blocks\n", f);
	if (shown)
		fprintf(f, "%-9s %-*s %-5s %s\n", "CHANGE", (int)width, "CASE", "OLD", "NEW");
	for (size_t i = 0; i < shown; i++)
		row(&d->pairs[i], (int)width, f);
	fprintf(f, "%u broken, %u mended, %u still failing (%u otherwise), %u still passing\n",
	        n[E4D_V_BROKEN], n[E4D_V_MENDED], n[E4D_V_FAILS] + n[E4D_V_OTHERWISE],
	        n[E4D_V_OTHERWISE], n[E4D_V_PASSES]);
	fprintf(f, "%u ran on both sides; %u new, %u tested only now, %u no longer, %u vanished\n",
	        d->comparable, n[E4D_V_NEW], n[E4D_V_TESTED], n[E4D_V_UNTESTED], n[E4D_V_VANISHED]);
	if (d->new->not_run)
		fprintf(f, "the new side is not whole: %u case%s not run\n", d->new->not_run,
		        d->new->not_run == 1 ? " was" : "s were");
	if (d->new->tool > E4D_V_AGREES) {
		fputs("the new side's tracer is no witness: ", f);
		put(f, d->new->tool_why);
		fputc('\n', f);
	}
}

static json_t *json_side(const struct e4d_vsaved *s)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:i,s:i,s:i,s:s}", "program", s->program,
	                 "kernel", s->kernel, "dir", s->dir, "device", s->device, "blksize",
	                 (json_int_t)s->blksize, "unit", (json_int_t)s->unit, "passed", s->passed,
	                 "failed", s->failed, "skipped", s->skipped, "tracer",
	                 e4d_vtool_word(s->tool));
}

static json_t *json_pair(const struct e4d_vpair *p)
{
	const struct e4d_vsaved_case *old = p->old, *new = p->new;

	return json_pack("{s:s,s:s,s:s?,s:s?,s:s?,s:s?}", "name", p->name, "change",
	                 e4d_vchange_word(p->change), "old",
	                 old ? e4d_vkernel_word(old->kernel) : NULL, "new",
	                 new ? e4d_vkernel_word(new->kernel) : NULL, "old_why",
	                 old ? old->why : NULL, "new_why", new ? new->why : NULL);
}

void e4d_vdiff_json(const struct e4d_vdiff *d, FILE *f)
{
	json_t *cases = json_array(), *counts = json_object(), *all;

	for (size_t i = 0; i < d->count; i++)
		json_array_append_new(cases, json_pair(&d->pairs[i]));
	for (enum e4d_vchange c = 0; c < E4D_V_CHANGES; c++)
		json_object_set_new(counts, e4d_vchange_word(c), json_integer(d->n[c]));
	all = json_pack("{s:i,s:s,s:b,s:o,s:o,s:o,s:o,s:i,s:i}", "version", 1, "program",
	                "ext4diotop " E4D_VERSION, "comparison", 1, "old", json_side(d->old), "new",
	                json_side(d->new), "cases", cases, "counts", counts, "comparable",
	                d->comparable, "exit", e4d_vdiff_exit(d));
	json_dumpf(all, f, JSON_INDENT(1));
	fputc('\n', f);
	json_decref(all);
}
