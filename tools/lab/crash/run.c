/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Many writers at once, and what became of each: a line a file. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold.h"

#define START_LIMIT_US (60 * 1000000U)
#define POLL_US        20000U
#define START_GAP_US   15000 /* all at once, and the tracer loses events */

struct job {
	const struct hold_case *c;
	const char *disk; /* last component of DIR */
	char path[WL_PAGE / 8];
	char dev[24];
};

struct jobs {
	struct job *v;
	struct hold_writer *w; /* shared with the children */
	size_t count;
};

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int start(struct job *job, struct hold_writer *w)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	hold_write(job->c, job->path, w, NULL);
	_exit(0);
}

static int start_dir(const struct hold_run *run, char *dir, struct jobs *jobs)
{
	char path[WL_PAGE / 16];
	struct stat st;
	int err = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, run->name);
	if (mkdir(path, 0700) || stat(path, &st)) {
		fprintf(stderr, "holdwrite: %s: %s\n", path, strerror(errno));
		return -errno;
	}
	for (size_t i = 0; i < hold_case_count && !err; i++) {
		const struct hold_case *c = &hold_cases[i];

		for (unsigned int n = 0; n < run->copies && !err; n++) {
			struct job *job = &jobs->v[jobs->count];

			if (fnmatch(run->cases, c->name, 0))
				continue;
			job->c = c;
			job->disk = last_component(dir);
			snprintf(job->dev, sizeof(job->dev), "%u:%u", major(st.st_dev),
			         minor(st.st_dev));
			snprintf(job->path, sizeof(job->path), "%s/%s.%u", path, c->name, n);
			jobs->w[jobs->count].wait_us = run->wait_us;
			err = start(job, &jobs->w[jobs->count]);
			jobs->count += !err;
			usleep(START_GAP_US);
		}
	}
	return err;
}

/* Until each is held, or over. */
static int all_started(const struct jobs *jobs)
{
	unsigned int waited = 0;

	for (size_t i = 0; i < jobs->count; i++) {
		while (__atomic_load_n(&jobs->w[i].state, __ATOMIC_ACQUIRE) == HOLD_STARTING) {
			if (waited > START_LIMIT_US) {
				fprintf(stderr, "holdwrite: %s neither waits nor ends\n",
				        jobs->v[i].path);
				return -ETIMEDOUT;
			}
			usleep(POLL_US);
			waited += POLL_US;
		}
	}
	return 0;
}

static void print_job(const struct hold_run *run, const struct job *job,
                      const struct hold_writer *w, uint64_t now)
{
	static const char *const names[] = {"starting", "held", "ended", "skipped"};

	dprintf(STDOUT_FILENO,
	        "{\"crash\":\"write\",\"disk\":\"%s\",\"dev\":\"%s\",\"run\":\"%s\",\"file\":\"%"
	        "s\","
	        "\"ino\":%llu,\"state\":\"%s\",\"held_ns\":%llu,\"ret\":%lld,\"end_ns\":%llu,"
	        "\"why\":\"%s\"}\n",
	        job->disk, job->dev, run->name, last_component(job->path),
	        (unsigned long long)w->ino, names[w->state & 3], (unsigned long long)w->held_ns,
	        (long long)w->ret, (unsigned long long)now, w->why);
}

/* Whatever is in memory goes to the disk, and the journal commits. */
static int sync_dirs(char **dirs, int count)
{
	uint64_t begun = hold_now();
	int err = 0;

	for (int i = 0; i < count && !err; i++) {
		int fd = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 || syncfs(fd))
			err = -errno;
		if (fd >= 0)
			close(fd);
	}
	if (!err)
		dprintf(STDOUT_FILENO, "{\"crash\":\"sync\",\"begin_ns\":%llu}\n",
		        (unsigned long long)begun);
	return err;
}

int hold_run(const struct hold_run *run, char **dirs, int count)
{
	size_t room = hold_case_count * run->copies * count;
	struct jobs jobs = {0};
	int err = 0;

	jobs.v = calloc(room, sizeof(*jobs.v));
	jobs.w = mmap(NULL, room * sizeof(*jobs.w) + 1, PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!jobs.v || jobs.w == MAP_FAILED) {
		free(jobs.v);
		return HOLD_CORRUPT;
	}
	for (int i = 0; i < count && !err; i++)
		err = start_dir(run, dirs[i], &jobs);
	if (!err && run->wait_us == HOLD_FOREVER)
		err = all_started(&jobs);
	else
		while (wait(NULL) > 0 || errno == EINTR)
			;
	for (size_t i = 0; i < jobs.count; i++)
		print_job(run, &jobs.v[i], &jobs.w[i], hold_now());
	if (!err)
		err = sync_dirs(dirs, count);
	if (err)
		fprintf(stderr, "holdwrite: %s: %s\n", run->name, strerror(-err));
	else
		dprintf(STDOUT_FILENO, "{\"crash\":\"ready\",\"run\":\"%s\"}\n", run->name);
	while (!err && run->wait_us == HOLD_FOREVER)
		pause();
	free(jobs.v);
	if (err)
		return HOLD_CORRUPT;
	return jobs.count ? HOLD_OK : HOLD_NOTHING;
}
