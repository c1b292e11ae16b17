/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trace/compress.h"
#include "trace/worker.h"

#define NICE 10

/*
 * Random writes of 4 KiB, 96 bytes each: 10 to 11 bytes and 2 us at LEVEL, 11 to 12.2
 * and 0.4 us at HURRY, which serves where the recording is so many rotations ahead.
 */
#define LEVEL 9
#define HURRY 1
#define AHEAD 2

struct job {
	struct job *next;
	char name[E4D_TRACE_NAME];
};

struct e4d_worker {
	struct e4d_dump *dump;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, done; /* something to do; something was done */
	struct job *first, **last;
	unsigned int below, removed; /* rotations to remove; that were */
	unsigned int newest;         /* rotation that was given to compress */
	unsigned int failed;
	bool busy, end;
};

/* Rotation of a stream file's name, compressed or not; -1: it is none. */
static long rotation_of(const char *name)
{
	const char *dash = strrchr(name, '-');
	char *end;
	long n;

	if (!dash || *name == '.' || (strncmp(name, "cpu", 3) && strncmp(name, "session-", 8)))
		return -1;
	n = strtol(dash + 1, &end, 10);
	return end > dash + 1 && (!*end || !strcmp(end, ".zst")) ? n : -1;
}

static void remove_below(struct e4d_dump *d, unsigned int below)
{
	DIR *list = e4d_dump_list(d);
	struct dirent *de;

	while (list && (de = readdir(list))) {
		long rotation = rotation_of(de->d_name);

		if (rotation >= 0 && rotation < (long)below)
			e4d_dump_remove(d, de->d_name);
	}
	if (list)
		closedir(list);
}

/* What is to be removed, first of all. The lock is held, and not while files go. */
static void remove_old(struct e4d_worker *k)
{
	unsigned int below = k->below;

	if (below == k->removed)
		return;
	pthread_mutex_unlock(&k->lock);
	remove_below(k->dump, below);
	pthread_mutex_lock(&k->lock);
	k->removed = below;
	pthread_cond_broadcast(&k->done);
}

/* Between two steps of a compression: false where its file is to be removed itself. */
static bool go_on(void *ctx, const char *name)
{
	struct e4d_worker *k = ctx;
	bool wanted;

	pthread_mutex_lock(&k->lock);
	remove_old(k);
	wanted = rotation_of(name) >= (long)k->below;
	pthread_mutex_unlock(&k->lock);
	return wanted;
}

static void compress_one(struct e4d_worker *k)
{
	struct job *job = k->first;
	int level = k->newest > rotation_of(job->name) + AHEAD ? HURRY : LEVEL, err;

	k->first = job->next;
	if (!k->first)
		k->last = &k->first;
	k->busy = true;
	pthread_mutex_unlock(&k->lock);
	err = e4d_compress_file(k->dump, job->name, level, go_on, k);
	free(job);
	pthread_mutex_lock(&k->lock);
	k->failed += err && err != -ECANCELED && err != -ENOENT; /* old, and removed */
	k->busy = false;
	pthread_cond_broadcast(&k->done);
}

static void *run(void *arg)
{
	struct e4d_worker *k = arg;

	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* Linux: of this thread */
	pthread_mutex_lock(&k->lock);
	while (!k->end) {
		remove_old(k);
		if (k->first)
			compress_one(k);
		else if (!k->end && k->below == k->removed)
			pthread_cond_wait(&k->work, &k->lock);
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

int e4d_worker_open(struct e4d_worker **out, struct e4d_dump *d)
{
	struct e4d_worker *k = calloc(1, sizeof(*k));
	int err;

	*out = NULL;
	if (!k)
		return -ENOMEM;
	k->dump = d;
	k->last = &k->first;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->work, NULL);
	pthread_cond_init(&k->done, NULL);
	err = -pthread_create(&k->thread, NULL, run, k);
	if (err) {
		free(k);
		return err;
	}
	*out = k;
	return 0;
}

void e4d_worker_compress(struct e4d_worker *k, const char *name)
{
	struct job *job = calloc(1, sizeof(*job));

	pthread_mutex_lock(&k->lock);
	if (job) {
		snprintf(job->name, sizeof(job->name), "%s", name);
		*k->last = job;
		k->last = &job->next;
		k->newest = (unsigned int)rotation_of(name);
	} else {
		k->failed++;
	}
	pthread_cond_signal(&k->work);
	pthread_mutex_unlock(&k->lock);
}

void e4d_worker_remove(struct e4d_worker *k, unsigned int below)
{
	pthread_mutex_lock(&k->lock);
	if (below > k->below)
		k->below = below;
	pthread_cond_signal(&k->work);
	pthread_mutex_unlock(&k->lock);
}

bool e4d_worker_removed(struct e4d_worker *k)
{
	bool removed;

	pthread_mutex_lock(&k->lock);
	removed = k->below == k->removed;
	pthread_mutex_unlock(&k->lock);
	return removed;
}

static bool is_idle(const struct e4d_worker *k)
{
	return !k->first && !k->busy && k->below == k->removed;
}

bool e4d_worker_idle(struct e4d_worker *k)
{
	bool idle;

	pthread_mutex_lock(&k->lock);
	idle = is_idle(k);
	pthread_mutex_unlock(&k->lock);
	return idle;
}

void e4d_worker_wait(struct e4d_worker *k)
{
	pthread_mutex_lock(&k->lock);
	while (!is_idle(k))
		pthread_cond_wait(&k->done, &k->lock);
	pthread_mutex_unlock(&k->lock);
}

void e4d_worker_wait_removed(struct e4d_worker *k)
{
	pthread_mutex_lock(&k->lock);
	while (k->below != k->removed)
		pthread_cond_wait(&k->done, &k->lock);
	pthread_mutex_unlock(&k->lock);
}

unsigned int e4d_worker_close(struct e4d_worker *k)
{
	unsigned int failed;
	struct job *job;

	if (!k)
		return 0;
	pthread_mutex_lock(&k->lock);
	k->end = true;
	pthread_cond_signal(&k->work);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	failed = k->failed;
	while ((job = k->first)) {
		k->first = job->next;
		free(job);
	}
	pthread_cond_destroy(&k->work);
	pthread_cond_destroy(&k->done);
	pthread_mutex_destroy(&k->lock);
	free(k);
	return failed;
}
