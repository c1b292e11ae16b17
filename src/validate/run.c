/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "validate/run.h"

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE        (3 << 13)

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void skip(struct e4d_vresult *res, const char *why)
{
	res->kernel = E4D_V_SKIP;
	snprintf(res->why, sizeof(res->why), "%s", why);
}

int e4d_vrun_plan(struct e4d_vrun *r, const struct e4d_vselect *sel)
{
	r->results = calloc(e4d_vcase_count, sizeof(*r->results));
	if (!r->results)
		return -ENOMEM;
	for (size_t i = 0; i < e4d_vcase_count; i++) {
		struct e4d_vresult *res = &r->results[r->count];

		if (!e4d_vselect_wanted(sel, e4d_vcases[i].w.name))
			continue;
		res->c = &e4d_vcases[i];
		if (e4d_vselect_excluded(sel, e4d_vcases[i].w.name))
			skip(res, "excluded");
		r->count++;
	}
	return 0;
}

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};

void e4d_vrun_hold_signals(bool hold)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		sigaddset(&set, stops[i]);
	sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static bool interrupted(void)
{
	bool found = false;
	sigset_t set;

	sigpending(&set);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		found |= sigismember(&set, stops[i]) == 1;
	return found;
}

/* The reason why no further case may run; NULL: it may. */
static const char *spent(const struct e4d_vrun *r, const struct e4d_vcase *c, double start)
{
	if (interrupted())
		return "interrupted";
	if (now() - start + E4D_V_CASE_SECONDS > E4D_V_SECONDS)
		return "30 seconds are over";
	if (r->writes + e4d_vcase_writes(c) > E4D_V_WRITES)
		return "200 writes are made";
	if (r->bytes + e4d_vcase_bytes(c) > E4D_V_BYTES)
		return "64 MiB are written";
	return NULL;
}

static void tick(void *ctx)
{
	e4d_vtracer_tick(ctx);
}

static void broke(struct e4d_vresult *res, const char *what, int err)
{
	res->kernel = E4D_V_FAIL;
	snprintf(res->why, sizeof(res->why), "%s: %s", what, strerror(-err));
}

/* After the child: takes over what it left, and judges it. */
static void judge(struct e4d_vrun *r, struct e4d_vresult *res, enum wl_end end,
                  const struct wl_result *shared, const struct wl_outcome *out)
{
	res->res = *shared;
	res->truth = out->truth;
	res->isize_after = (uint64_t)out->st.st_size;
	if (end == WL_SKIPPED)
		skip(res, shared->skip);
	else if (end == WL_BROKE)
		broke(res, out->broke, out->err);
	else
		e4d_vcheck_kernel(res, out, &r->mount.fs);
}

static void run_case(struct e4d_vrun *r, struct e4d_vresult *res, int fd, struct wl_result *shared)
{
	const struct wl_how_run how = {
		.seconds = E4D_V_CASE_SECONDS, .meanwhile = tick, .ctx = &r->tracer};
	struct wl_env env = {.dir = r->mount.dir};
	struct wl_outcome out;
	char path[32];
	enum wl_end end;
	struct stat st;
	int err;

	r->bytes += e4d_vcase_bytes(res->c);
	err = fstat(fd, &st) ? -errno : wl_prepare(&res->c->w, fd, &env);
	if (err && env.skip[0]) {
		skip(res, env.skip);
		return;
	}
	if (err) {
		broke(res, "setup", err);
		return;
	}
	res->ino = st.st_ino;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r->writes += e4d_vcase_writes(res->c);
	end = wl_execute(&res->c->w, path, fd, &env, &how, shared, &out);
	judge(r, res, end, shared, &out);
	wl_outcome_free(&out);
}

static void sum_up(struct e4d_vrun *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct e4d_vresult *res = &r->results[i];

		r->passed += res->kernel == E4D_V_PASS;
		r->failed += res->kernel == E4D_V_FAIL;
		r->skipped += res->kernel == E4D_V_SKIP;
		r->blind += res->tool == E4D_V_BLIND;
		r->disagree += res->tool == E4D_V_DISAGREES;
	}
}

/*
 * Files stay open until the tracer is judged: a removed inode's number would be
 * used again, and would no longer name one case.
 */
int e4d_vrun_go(struct e4d_vrun *r, void (*progress)(const struct e4d_vrun *r, size_t at))
{
	struct wl_result *shared = wl_result_new();
	int *fds = calloc(r->count, sizeof(*fds));
	double start = now();
	size_t at = 0;

	if (!shared || !fds) {
		free(fds);
		return -ENOMEM;
	}
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
	for (; at < r->count; at++) {
		struct e4d_vresult *res = &r->results[at];
		const char *why = spent(r, res->c, start);
		double from = now();

		fds[at] = -1;
		if (progress)
			progress(r, at);
		if (res->kernel == E4D_V_SKIP)
			continue;
		if (why) {
			skip(res, why);
			continue;
		}
		fds[at] = e4d_vmount_file(&r->mount);
		if (fds[at] < 0)
			broke(res, "no file", fds[at]);
		else
			run_case(r, res, fds[at], shared);
		res->seconds = now() - from;
	}
	e4d_vtracer_finish(&r->tracer);
	while (at--)
		if (fds[at] >= 0)
			close(fds[at]);
	free(fds);
	sum_up(r);
	r->seconds = now() - start;
	return 0;
}

int e4d_vrun_exit(const struct e4d_vrun *r)
{
	if (r->failed)
		return E4D_EXIT_FINDING;
	if (!r->passed)
		return E4D_EXIT_NOTHING;
	return r->blind || r->disagree || r->tracer.lost ? E4D_EXIT_BLIND : E4D_EXIT_CLEAN;
}
