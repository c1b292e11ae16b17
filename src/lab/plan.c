/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the lab would do, and whether it may. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lab/image.h"
#include "lab/lab.h"
#include "lab/medium.h"
#include "lab/scratch.h"
#include "util/limit.h"

/* The cases of one medium, NULL: those of none. */
static int plan_medium(struct e4d_vrun *r, struct e4d_vselect *sel, const char *kind,
                       const struct lab_medium *medium)
{
	int err = 0;

	for (size_t i = 0; i < e4d_vcase_count && !err; i++)
		if (lab_medium_of(&e4d_vcases[i]) == medium)
			err = e4d_vrun_add(r, sel, &e4d_vcases[i], kind);
	return err;
}

int e4d_lab_plan(struct e4d_vrun *r, struct e4d_vselect *sel)
{
	int err = 0;

	for (size_t k = 0; k < lab_kind_count && !err; k++) {
		for (size_t m = 0; m < lab_medium_count && !err; m++)
			err = plan_medium(r, sel, lab_kinds[k].name, &lab_mediums[m]);
		if (!err)
			err = plan_medium(r, sel, lab_kinds[k].name, NULL);
	}
	return err;
}

void e4d_lab_foresee(struct e4d_vrun *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct e4d_vresult *res = &r->results[i];
		const struct lab_medium *m = lab_medium_of(res->c);
		char why[200];

		if (res->kernel == E4D_V_SKIP)
			continue;
		if (m && m->here && m->here(why, sizeof(why)))
			e4d_vrun_skip(res, why);
		else if (res->c->w.keepsize && !lab_kind_of(res)->extents)
			e4d_vrun_skip(res, WL_NO_FALLOCATE);
	}
}

static enum e4d_exit cannot(struct e4d_lab *lab, const char *dir, const char *what,
                            const char *remedy)
{
	snprintf(lab->why, sizeof(lab->why), "%.120s%s%.60s; %s", dir, *dir ? ": " : "", what,
	         remedy);
	return E4D_EXIT_CANNOT;
}

enum e4d_exit e4d_lab_open(struct e4d_lab *lab, const char *work, const char *scratch)
{
	static const char remedy[] = "name another directory by --work";
	const char *dir = work ? work : access("/var/tmp", W_OK) ? "/tmp" : "/var/tmp";
	enum e4d_exit code = E4D_EXIT_CLEAN;
	struct statvfs sv;
	struct stat st;

	memset(lab, 0, sizeof(*lab));
	lab->scratch = scratch;
	if (geteuid())
		return cannot(lab, "", "the lab makes and mounts file systems", "run it as root");
	if (e4d_limit_raise(RLIMIT_FSIZE) < LAB_IMAGE_BYTES)
		return cannot(lab, "", "a file may not have 256 MiB here",
		              "raise the limit (ulimit -f)");
	if (!realpath(dir, lab->work) || stat(lab->work, &st) || statvfs(lab->work, &sv))
		return cannot(lab, dir, strerror(errno), remedy);
	if (!S_ISDIR(st.st_mode))
		return cannot(lab, dir, strerror(ENOTDIR), remedy);
	if (!strcmp(lab->work, "/"))
		return cannot(lab, dir, "cannot be mounted over",
		              "name a directory below it by --work");
	if (!scratch && access(lab->work, W_OK))
		return cannot(lab, dir, strerror(errno), remedy);
	if (!scratch && (uint64_t)sv.f_bavail * sv.f_frsize < LAB_IMAGE_BYTES)
		return cannot(lab, dir, "no 256 MiB are free there", remedy);
	if (scratch)
		code = lab_scratch(scratch, lab->lost, sizeof(lab->lost), lab->why,
		                   sizeof(lab->why));
	snprintf(lab->where, sizeof(lab->where), "images of each kind on %.100s",
	         scratch ? scratch : "a loop device");
	return code;
}
