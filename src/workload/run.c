/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* One case from its row to the disk's truth: prepared here, written by a child. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "workload/workload.h"

struct wl_result *wl_result_new(void)
{
	void *p = mmap(NULL, sizeof(struct wl_result), PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The child: opens, writes, ends; nothing else is written by it. */
static void child(const struct wl_case *c, const char *path, unsigned int seconds, pid_t parent,
                  struct wl_result *res)
{
	struct rlimit none = {0, 0}, cpu = {seconds, seconds + 1};
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &cpu);
	alarm(seconds);
	fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC | c->oflags);
	if (fd < 0) {
		wl_skip(res, "O_DIRECT", -errno);
		_exit(0);
	}
	res->ret = c->run ? c->run(c, fd, res) : wl_run_plain(c, fd, res);
	if (res->skip[0])
		res->writes = 0; /* none was made */
	else
		res->done = true;
	_exit(0);
}

int wl_prepare(const struct wl_case *c, int fd, struct wl_env *env)
{
	struct statfs sf;
	int err = wl_setup_common(c, fd, env);

	if (err)
		return err;
	if (fstatfs(fd, &sf))
		return -errno;
	env->blksize = sf.f_bsize;
	env->avail = (uint64_t)sf.f_bavail * sf.f_bsize;
	if (c->setup)
		err = c->setup(c, fd, env);
	if (!err && fsync(fd))
		err = -errno;
	return err;
}

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * Waits for the child, and looks after the rest meanwhile. 0 with its status, which is
 * SIGALRM's for whom this killed because its time was over; or -errno.
 */
static int wait_child(pid_t pid, const struct wl_how_run *how, int *status)
{
	double end = seconds_now() + how->seconds;
	bool killed = false;

	if (!how->meanwhile) {
		if (waitpid(pid, status, 0) < 0)
			return -errno;
		return 0;
	}
	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid) {
			*status = killed ? SIGALRM : *status;
			return 0;
		}
		if (got < 0 && errno != EINTR)
			return -errno;
		how->meanwhile(how->ctx);
		if (seconds_now() < end)
			continue;
		if (killed)
			return -ETIMEDOUT; /* the kernel does not let go of it */
		kill(pid, SIGKILL);
		killed = true;
		end = seconds_now() + how->grace;
	}
}

/* After the child has ended. Returns 0 or -errno. */
static int measure(const struct wl_case *c, int fd, const struct wl_map *before,
                   const struct wl_env *env, const struct wl_result *res, struct wl_outcome *out)
{
	uint64_t mask = env->blksize - 1;
	int err = wl_map_read(fd, &out->after);

	/* a shutdown may leave no map to be read: what the next mount finds decides */
	if (err && c->held != WL_HELD_SHUTDOWN)
		return err;
	if (fstat(fd, &out->st))
		return -errno;
	wl_map_compare(before, &out->after, ((uint64_t)out->st.st_size + mask) & ~mask,
	               &out->truth);
	/* nothing can be read after a shutdown */
	if (res->ret <= 0 || c->held == WL_HELD_SHUTDOWN)
		return 0;
	return wl_data_ok(fd, res, &out->data_ok);
}

static enum wl_end broke(struct wl_outcome *out, const char *what, int err)
{
	snprintf(out->broke, sizeof(out->broke), "%s: %s", what, strerror(-err));
	out->err = err;
	return WL_BROKE;
}

/* Of the writer that did not end by itself: its time was over, or somebody killed it. */
static enum wl_end was_killed(const struct wl_case *c, int status, const struct wl_how_run *how,
                              struct wl_result *res, struct wl_outcome *out)
{
	int sig = WTERMSIG(status);

	if (c->held == WL_HELD_KILL && res->writes && sig == SIGKILL) {
		res->ret = -EINTR; /* nobody is told what it got: not all */
		res->done = true;
		return WL_RAN;
	}
	if (sig == SIGALRM || sig == SIGXCPU) {
		snprintf(out->broke, sizeof(out->broke),
		         "the writer took longer than %u s; is the device busy?", how->seconds);
		out->err = -ETIMEDOUT;
		return WL_BROKE;
	}
	snprintf(out->broke, sizeof(out->broke), "the writer was killed: %s", strsignal(sig));
	out->err = sig == SIGSEGV || sig == SIGBUS || sig == SIGILL ? -EFAULT : -EINTR;
	return WL_BROKE;
}

/* SIGKILL did not end it: it waits in the kernel, in the state D. */
static enum wl_end hangs(const struct wl_how_run *how, struct wl_outcome *out)
{
	snprintf(out->broke, sizeof(out->broke),
	         "the writer hangs in the kernel %u s after SIGKILL; does the device answer?",
	         how->grace);
	out->err = -ETIMEDOUT;
	return WL_BROKE;
}

static enum wl_end write_one(const struct wl_case *c, const char *path,
                             const struct wl_how_run *how, struct wl_result *res,
                             struct wl_outcome *out)
{
	pid_t self = getpid();
	int status = 0, err;

	out->pid = fork();
	if (out->pid == 0)
		child(c, path, how->seconds, self, res);
	if (out->pid < 0)
		return broke(out, "fork", -errno);
	err = wait_child(out->pid, how, &status);
	if (err == -ETIMEDOUT)
		return hangs(how, out);
	if (err)
		return broke(out, "waiting for the writer", err);
	if (res->skip[0])
		return WL_SKIPPED;
	return res->done ? WL_RAN : was_killed(c, status, how, res, out);
}

enum wl_end wl_execute(const struct wl_case *c, const char *path, int fd, const struct wl_env *env,
                       const struct wl_how_run *how, struct wl_result *res, struct wl_outcome *out)
{
	struct wl_map before;
	enum wl_end end;
	int err;

	memset(res, 0, sizeof(*res));
	memset(out, 0, sizeof(*out));
	err = wl_map_read(fd, &before);
	if (err)
		return broke(out, "FIEMAP before", err);
	end = write_one(c, path, how, res, out);
	if (how->ended)
		how->ended(how->ctx);
	if (end == WL_RAN && (err = measure(c, fd, &before, env, res, out)))
		end = broke(out, "measuring", err);
	wl_map_free(&before);
	return end;
}

void wl_outcome_free(struct wl_outcome *out)
{
	wl_map_free(&out->after);
}
