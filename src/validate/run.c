/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/limit.h"
#include "util/plural.h"
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

/* It was to run, and did not: nothing is known of it. */
__attribute__((format(printf, 2, 3))) static void not_run(struct e4d_vresult *res, const char *fmt,
                                                          ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(res->why, sizeof(res->why), fmt, ap);
	va_end(ap);
	res->kernel = E4D_V_SKIP;
	res->not_run = true;
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

static sigset_t held;

void e4d_vrun_hold_signals(bool hold)
{
	struct sigaction sa;

	for (size_t i = 0; hold && i < sizeof(stops) / sizeof(stops[0]); i++)
		if (!sigaction(stops[i], NULL, &sa) && sa.sa_handler != SIG_IGN)
			sigaddset(&held, stops[i]);
	sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &held, NULL);
}

static bool interrupted(void)
{
	bool found = false;
	sigset_t set;

	sigpending(&set);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		found |= sigismember(&held, stops[i]) == 1 && sigismember(&set, stops[i]) == 1;
	return found;
}

/* May the case run within the safe tier's bounds? If not, the result says why. */
static bool within_bounds(const struct e4d_vrun *r, struct e4d_vresult *res)
{
	uint64_t need = e4d_vcase_room(res->c, &r->mount.fs);
	double lasts = E4D_V_CASE_SECONDS + E4D_V_GRACE_SECONDS;

	if (r->longest > lasts) /* its setup, on a device that is slow */
		lasts = r->longest;
	if (r->seconds + lasts + E4D_V_END_SECONDS > E4D_V_SECONDS)
		not_run(res, "%d seconds would be over", E4D_V_SECONDS);
	else if (r->writes + e4d_vcase_writes(res->c) > E4D_V_WRITES)
		not_run(res, "%d writes are made", E4D_V_WRITES);
	else if (r->bytes + e4d_vcase_bytes(res->c) > E4D_V_BYTES)
		not_run(res, "%llu MiB are written", E4D_V_BYTES / WL_MIB);
	else if (r->held + need > E4D_V_BYTES)
		not_run(res, "it would allocate more than %llu MiB", E4D_V_BYTES / WL_MIB);
	else if (need > e4d_vmount_room(&r->mount))
		not_run(res, "the file system would be nearly full");
	return !res->not_run;
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

/*
 * A step beside the write did not work. That is trouble of the environment, and no word
 * on the kernel, unless it finds its file system corrupt, or the writer crashes, as it
 * does when the kernel oopses.
 */
static void trouble(struct e4d_vresult *res, const char *what, int err)
{
	not_run(res, "%s", what);
	if (err == -EUCLEAN || err == -EFAULT) {
		res->kernel = E4D_V_FAIL;
		res->not_run = false;
	}
}

static void step_failed(struct e4d_vresult *res, const char *step, int err)
{
	char what[120];

	snprintf(what, sizeof(what), "%s: %s", step, strerror(-err));
	trouble(res, what, err);
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
	if (end == WL_SKIPPED && shared->scarce)
		not_run(res, "%s", shared->skip);
	else if (end == WL_SKIPPED)
		e4d_vrun_skip(res, shared->skip);
	else if (end == WL_BROKE)
		trouble(res, out->broke, out->err);
	else if (err) /* of what a crash left: that is the kernel's */
		e4d_vcheck_fail(res, "measuring after a new mount", strerror(-err));
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
	const struct wl_how_run how = {.seconds = E4D_V_CASE_SECONDS,
	                               .grace = r->safe ? E4D_V_GRACE_SECONDS : E4D_V_CASE_SECONDS,
	                               .meanwhile = tick,
	                               .ended = ended,
	                               .ctx = r};
	struct wl_env env = {.dir = r->mount.dir};
	int err = prepare(r, res, *fd, &env);
	struct wl_outcome out;
	char path[32];
	enum wl_end end;

	r->bytes += e4d_vcase_bytes(res->c);
	r->held += e4d_vcase_room(res->c, &r->mount.fs);
	if (err) {
		ended(r);
		if (env.skip[0])
			e4d_vrun_skip(res, env.skip);
		else
			step_failed(res, "setup", err);
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
	e4d_limit_raise(RLIMIT_NOFILE);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
}

int e4d_vrun_case(struct e4d_vrun *r, size_t at, int (*make)(struct e4d_vrun *r, size_t at),
                  struct wl_result *shared)
{
	struct e4d_vresult *res = &r->results[at];
	int fd;

	r->seconds = now() - r->started;
	if (r->progress)
		r->progress(r, at);
	if (res->kernel == E4D_V_SKIP)
		return -1;
	if (interrupted())
		not_run(res, "interrupted");
	if (res->not_run || (r->safe && !within_bounds(r, res)))
		return -1;
	fd = make(r, at);
	if (fd < 0)
		step_failed(res, "no file", fd);
	else
		run_case(r, res, &fd, shared);
	res->seconds = now() - r->started - r->seconds;
	r->longest = res->seconds > r->longest ? res->seconds : r->longest;
	return fd < 0 ? -1 : fd;
}

void e4d_vrun_end(struct e4d_vrun *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct e4d_vresult *res = &r->results[i];

		r->passed += res->kernel == E4D_V_PASS;
		r->failed += res->kernel == E4D_V_FAIL;
		r->skipped += res->kernel == E4D_V_SKIP;
		r->not_run += res->not_run;
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
 * Judges the tracer by the cases from `from` on, and lets go of their files: not before,
 * as a removed inode's number is used again, and would no longer name one case.
 */
static void release(struct e4d_vrun *r, int *fds, size_t from, size_t to)
{
	e4d_vtracer_settle(&r->tracer, to == r->count);
	for (; from < to; from++) {
		r->results[from].ino = 0;
		if (fds[from] >= 0)
			close(fds[from]);
	}
	r->held = 0;
}

/* With the files that are open, too much would be allocated; not so without them. */
static bool crowded(const struct e4d_vrun *r, size_t at)
{
	uint64_t need = e4d_vcase_room(r->results[at].c, &r->mount.fs);

	return r->held && r->results[at].kernel != E4D_V_SKIP &&
	       (r->held + need > E4D_V_BYTES || need > e4d_vmount_room(&r->mount));
}

int e4d_vrun_go(struct e4d_vrun *r)
{
	struct wl_result *shared = wl_result_new();
	int *fds = calloc(r->count, sizeof(*fds));
	size_t from = 0;

	if (!shared || !fds) {
		free(fds);
		return -ENOMEM;
	}
	r->started =
		now(); /* from here on the mount is in use: the tracer's loading is no load on it */
	for (size_t at = 0; at < r->count; at++) {
		if (crowded(r, at)) {
			release(r, fds, from, at);
			from = at;
		}
		fds[at] = e4d_vrun_case(r, at, unnamed, shared);
	}
	release(r, fds, from, r->count);
	free(fds);
	e4d_vrun_end(r);
	return 0;
}

/* The first result that was not run for the same reason. */
static size_t first_of_reason(const struct e4d_vrun *r, size_t at)
{
	size_t i = 0;

	while (!r->results[i].not_run || strcmp(r->results[i].why, r->results[at].why))
		i++;
	return i;
}

void e4d_vrun_reasons(const struct e4d_vrun *r, char *buf, size_t len)
{
	size_t at = (size_t)snprintf(buf, len, "%u case%s", r->not_run, e4d_s(r->not_run));

	for (size_t i = 0; i < r->count && at < len; i++) {
		unsigned int n = 0;

		if (!r->results[i].not_run || first_of_reason(r, i) != i)
			continue;
		for (size_t k = i; k < r->count; k++)
			n += r->results[k].not_run && first_of_reason(r, k) == i;
		at += (size_t)snprintf(buf + at, len - at, "; %u: %s", n, r->results[i].why);
	}
}

int e4d_vrun_exit(const struct e4d_vrun *r)
{
	if (r->failed)
		return E4D_EXIT_FINDING;
	if (!r->passed)
		return E4D_EXIT_NOTHING;
	return r->not_run || r->blind || r->disagree || r->tracer.lost ? E4D_EXIT_BLIND
	                                                               : E4D_EXIT_CLEAN;
}
