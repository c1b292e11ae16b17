/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/plan.h"
#include "util/escape.h"
#include "util/log.h"
#include "util/plural.h"
#include "validate/report.h"

enum e4d_exit e4d_plan_list(const struct e4d_vrun *r, bool lab)
{
	int width = e4d_vname_width(r);
	bool any = false;

	for (size_t i = 0; i < r->count; i++) {
		const struct e4d_vresult *v = &r->results[i];

		if (v->kernel == E4D_V_SKIP)
			continue; /* excluded */
		printf("%-*s %s\n", width, v->name, v->c->w.what);
		any = true;
	}
	puts("\nAfter each of them:");
	for (size_t i = 0; i < e4d_vcheck_count; i++)
		printf("%-*s %s\n", width, e4d_vchecks[i].name, e4d_vchecks[i].what);
	if (lab)
		printf("%-*s %s\n", width, "e2fsck", "e2fsck -fn says nothing of its file");
	printf("%-*s %s\n", width, "tracer",
	       "saw exactly these writes, and says what the disk says");
	return any ? E4D_EXIT_CLEAN : E4D_EXIT_NOTHING;
}

static void print_place(const struct e4d_vrun *r, const struct e4d_lab *lab)
{
	char dir[512];

	e4d_escape_text(dir, sizeof(dir), r->mount.dir, strlen(r->mount.dir));
	if (lab && *lab->lost) /* mounted over the directory, and all of it on the device */
		printf("%s; nothing is written now\n", lab->where);
	else if (lab)
		printf("%s: %s; nothing is written now\n", dir, lab->where);
	else
		printf("%s: ext4 on %s, %" PRIu64 " MiB free; nothing is written now\n", dir,
		       r->mount.device, (uint64_t)(r->mount.avail / WL_MIB));
	if (lab && *lab->lost)
		printf("%s, would be destroyed\n", lab->lost);
}

enum e4d_exit e4d_plan_print(const struct e4d_vrun *r, const struct e4d_lab *lab)
{
	unsigned int writes = 0, cases = 0;
	int width = e4d_vname_width(r);
	uint64_t bytes = 0;

	print_place(r, lab);
	for (size_t i = 0; i < r->count; i++) {
		const struct e4d_vresult *v = &r->results[i];

		if (v->kernel == E4D_V_SKIP) {
			printf("skip %-*s %s\n", width, v->name, v->why);
			continue;
		}
		printf("run  %-*s %4" PRIu64 " KiB  %s\n", width, v->name,
		       (uint64_t)(e4d_vcase_bytes(v->c) / WL_KIB), v->c->w.what);
		writes += e4d_vcase_writes(v->c);
		bytes += e4d_vcase_bytes(v->c);
		cases++;
	}
	printf("%u case%s, %u write%s, at most %" PRIu64 " MiB%s, all of it %s\n", cases,
	       e4d_s(cases), writes, e4d_s(writes), (uint64_t)((bytes + WL_MIB - 1) / WL_MIB),
	       lab ? "" : " written and 64 MiB allocated at a time",
	       lab ? "thrown away" : "unnamed files");
	if (!cases)
		return E4D_EXIT_NOTHING;
	puts("What the kernel does not offer is found out in the run, and skipped.");
	return E4D_EXIT_CLEAN;
}

enum e4d_exit e4d_plan_consent(const char *lost, bool yes)
{
	char line[16];

	if (yes) {
		e4d_warn("%s, will be destroyed", lost);
		return E4D_EXIT_CLEAN;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		e4d_err("%s, would be destroyed; say --yes if that is meant", lost);
		return E4D_EXIT_USAGE;
	}
	e4d_err("%s, will be destroyed", lost);
	fputs("Type yes if that is meant: ", stderr);
	if (fgets(line, sizeof(line), stdin) && !strcmp(line, "yes\n"))
		return E4D_EXIT_CLEAN;
	e4d_err("that was no yes; nothing was written");
	return E4D_EXIT_USAGE;
}
