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

void e4d_vrun_skip(struct e4d_vresult *res, const char *why)
{
	res->kernel = E4D_V_SKIP;
	snprintf(res->why, sizeof(res->why), "%s", why);
}

int e4d_vrun_add(struct e4d_vrun *r, struct e4d_vselect *sel, const struct e4d_vcase *c,
                 const char *image)
{
	struct e4d_vresult *res = reallocarray(r->results, r->count + 1, sizeof(*res));

	if (!res)
		return -ENOMEM;
	r->results = res;
	res += r->count;
	memset(res, 0, sizeof(*res));
	res->c = c;
	snprintf(res->name, sizeof(res->name), "%s%s%s", image ? image : "", image ? "/" : "",
	         c->w.name);
	if (!e4d_vselect_wanted(sel, c->w.name, res->name))
		return 0;
	if (e4d_vselect_excluded(sel, c->w.name, res->name))
		e4d_vrun_skip(res, "excluded");
	r->count++;
	return 0;
}

int e4d_vrun_plan(struct e4d_vrun *r, struct e4d_vselect *sel)
{
	int err = 0;

	r->safe = true;
	for (size_t i = 0; i < e4d_vcase_count && !err; i++)
		if (e4d_vcases[i].medium == E4D_V_SAFE)
			err = e4d_vrun_add(r, sel, &e4d_vcases[i], NULL);
	return err;
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
static const char *spent(const struct e4d_vrun *r, const struct e4d_vcase *c)
{
	if (interrupted())
		return "interrupted";
	if (!r->safe)
		return NULL;
	if (r->seconds + E4D_V_CASE_SECONDS > E4D_V_SECONDS)
		return "30 seconds are over";
	if (r->writes + e4d_vcase_writes(c) > E4D_V_WRITES)
		return "200 writes are made";
	if (r->bytes + e4d_vcase_bytes(c) > E4D_V_BYTES)
		return "64 MiB are written";
	return NULL;
}

static void tick(void *ctx)
{
	struct e4d_vrun *r = ctx;

	e4d_vtracer_tick(&r->tracer);
}

static void ended(void *ctx)
{
	struct e4d_vrun *r = ctx;

	if (r->hooks.ended)
		r->hooks.ended(r->hooks.ctx);
}

static void broke(struct e4d_vresult *res, const char *what, int err)
{
	res->kernel = E4D_V_FAIL;
	snprintf(res->why, sizeof(res->why), "%s: %s", what, strerror(-err));
}

/* After the child: takes over what it left, and judges it. */
static void judge(struct e4d_vrun *r, struct e4d_vresult *res, int *fd, enum wl_end end,
                  const struct wl_result *shared, struct wl_outcome *out)
{
	int err = 0;

	res->res = *shared;
	res->live = out->truth;
	res->isize_live = (uint64_t)out->st.st_size;
	if (r->hooks.after)
		err = r->hooks.after(r->hooks.ctx, res, fd, out);
	res->truth = out->truth;
	res->isize_after = (uint64_t)out->st.st_size;
	if (end == WL_SKIPPED)
		e4d_vrun_skip(res, shared->skip);
	else if (end == WL_BROKE)
		broke(res, out->broke, out->err);
	else if (err)
		broke(res, "measuring after a new mount", err);
	else
		e4d_vcheck_kernel(res, out, &r->mount.fs);
}

static int prepare(struct e4d_vrun *r, struct e4d_vresult *res, int fd, struct wl_env *env)
{
	struct stat st;
	int err = fstat(fd, &st) ? -errno : wl_prepare(&res->c->w, fd, env);

	if (!err && r->hooks.before)
		err = r->hooks.before(r->hooks.ctx, res, fd, env->skip, sizeof(env->skip));
	res->ino = st.st_ino;
	return err;
}

static void run_case(struct e4d_vrun *r, struct e4d_vresult *res, int *fd, struct wl_result *shared)
{
	const struct wl_how_run how = {
		.seconds = E4D_V_CASE_SECONDS, .meanwhile = tick, .ended = ended, .ctx = r};
	struct wl_env env = {.dir = r->mount.dir};
	int err = prepare(r, res, *fd, &env);
	struct wl_outcome out;
	char path[32];
	enum wl_end end;

	r->bytes += e4d_vcase_bytes(res->c);
	if (err) {
		ended(r);
		if (env.skip[0])
			e4d_vrun_skip(res, env.skip);
		else
			broke(res, "setup", err);
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
		r->writes += e4d_vcase_writes(res->c);
		end = wl_execute(&res->c->w, path, *fd, &env, &how, shared, &out);
		judge(r, res, fd, end, shared, &out);
		wl_outcome_free(&out);
	}
	/* its blocks are free once that is committed */
	if (env.filler[0] && !unlink(env.filler) && *fd >= 0)
		syncfs(*fd);
}

void e4d_vrun_begin(struct e4d_vrun *r)
{
	r->seconds = 0;
	r->started = now();
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
}

int e4d_vrun_case(struct e4d_vrun *r, size_t at, int (*make)(struct e4d_vrun *r, size_t at),
                  struct wl_result *shared)
{
	struct e4d_vresult *res = &r->results[at];
	const char *why;
	int fd;

	r->seconds = now() - r->started;
	why = spent(r, res->c);
	if (r->progress)
		r->progress(r, at);
	if (res->kernel == E4D_V_SKIP)
		return -1;
	if (why) {
		e4d_vrun_skip(res, why);
		return -1;
	}
	fd = make(r, at);
	if (fd < 0)
		broke(res, "no file", fd);
	else
		run_case(r, res, &fd, shared);
	res->seconds = now() - r->started - r->seconds;
	return fd < 0 ? -1 : fd;
}

void e4d_vrun_end(struct e4d_vrun *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct e4d_vresult *res = &r->results[i];

		r->passed += res->kernel == E4D_V_PASS;
		r->failed += res->kernel == E4D_V_FAIL;
		r->skipped += res->kernel == E4D_V_SKIP;
		r->agree += res->tool == E4D_V_AGREES;
		r->blind += res->tool == E4D_V_BLIND;
		r->disagree += res->tool == E4D_V_DISAGREES;
	}
	r->seconds = now() - r->started;
}

static int unnamed(struct e4d_vrun *r, size_t at)
{
	(void)at;
	return e4d_vmount_file(&r->mount);
}

/*
 * Files stay open until the tracer is judged: a removed inode's number would be
 * used again, and would no longer name one case.
 */
int e4d_vrun_go(struct e4d_vrun *r)
{
	struct wl_result *shared = wl_result_new();
	int *fds = calloc(r->count, sizeof(*fds));

	if (!shared || !fds) {
		free(fds);
		return -ENOMEM;
	}
	e4d_vrun_begin(r);
	for (size_t at = 0; at < r->count; at++)
		fds[at] = e4d_vrun_case(r, at, unnamed, shared);
	e4d_vtracer_settle(&r->tracer, true);
	for (size_t at = 0; at < r->count; at++)
		if (fds[at] >= 0)
			close(fds[at]);
	free(fds);
	e4d_vrun_end(r);
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
