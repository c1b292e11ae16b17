/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "path/handle.h"
#include "path/path.h"

#define BUCKETS (2 * E4D_PATH_CACHE)

struct entry {
	__u64 ino;
	__u32 dev, gen;
	__u32 pid;      /* negative: the process that was asked */
	__u64 retry_ns; /* negative: asked again from here, CLOCK_MONOTONIC */
	char *path;     /* owned; NULL: negative */
	int chain;      /* next in the bucket, -1: none */
	int prev, next; /* by use, the newest first; -1: none */
};

struct e4d_paths {
	struct entry entry[E4D_PATH_CACHE];
	int bucket[BUCKETS];
	int used, newest, oldest;
};

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec;
}

static unsigned int hash(__u32 dev, __u64 ino, __u32 gen)
{
	__u64 h = (ino ^ (__u64)dev << 40 ^ (__u64)gen << 20) * 0x9e3779b97f4a7c15ULL;

	return (unsigned int)(h >> 40) % BUCKETS;
}

int e4d_paths_open(struct e4d_paths **out)
{
	struct e4d_paths *p = calloc(1, sizeof(*p));

	*out = p;
	if (!p)
		return -ENOMEM;
	memset(p->bucket, 0xff, sizeof(p->bucket)); /* -1 */
	p->newest = p->oldest = -1;
	return 0;
}

void e4d_paths_close(struct e4d_paths *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->used; i++)
		free(p->entry[i].path);
	free(p);
}

static void lru_unlink(struct e4d_paths *p, int i)
{
	struct entry *e = &p->entry[i];

	if (e->prev >= 0)
		p->entry[e->prev].next = e->next;
	else
		p->newest = e->next;
	if (e->next >= 0)
		p->entry[e->next].prev = e->prev;
	else
		p->oldest = e->prev;
}

static void lru_push(struct e4d_paths *p, int i)
{
	struct entry *e = &p->entry[i];

	e->prev = -1;
	e->next = p->newest;
	if (p->newest >= 0)
		p->entry[p->newest].prev = i;
	else
		p->oldest = i;
	p->newest = i;
}

static void hash_unlink(struct e4d_paths *p, int i)
{
	struct entry *e = &p->entry[i];
	int *at = &p->bucket[hash(e->dev, e->ino, e->gen)];

	while (*at != i)
		at = &p->entry[*at].chain;
	*at = e->chain;
}

static struct entry *lookup(struct e4d_paths *p, const struct e4d_record *r)
{
	int i = p->bucket[hash(r->dev, r->ino, r->gen)];

	for (; i >= 0; i = p->entry[i].chain) {
		struct entry *e = &p->entry[i];

		if (e->ino == r->ino && e->dev == r->dev && e->gen == r->gen) {
			lru_unlink(p, i);
			lru_push(p, i);
			return e;
		}
	}
	return NULL;
}

static struct entry *insert(struct e4d_paths *p, const struct e4d_record *r)
{
	unsigned int h = hash(r->dev, r->ino, r->gen);
	struct entry *e;
	int i;

	if (p->used < E4D_PATH_CACHE) {
		i = p->used++;
	} else {
		i = p->oldest;
		lru_unlink(p, i);
		hash_unlink(p, i);
		free(p->entry[i].path);
	}
	e = &p->entry[i];
	*e = (struct entry){.ino = r->ino, .dev = r->dev, .gen = r->gen, .chain = p->bucket[h]};
	p->bucket[h] = i;
	lru_push(p, i);
	return e;
}

/*
 * Looks at dirfd/name without opening it; the attributes may be cached ones,
 * so that a dead NFS server behind another descriptor does not hang us.
 */
static bool is_inode(int dirfd, const char *name, __u32 dev, __u64 ino)
{
	struct statx st;

	if (statx(dirfd, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO | STATX_TYPE, &st))
		return false;
	return st.stx_ino == ino && (st.stx_dev_major << 20 | st.stx_dev_minor) == dev &&
	       S_ISREG(st.stx_mode);
}

/* As e4d_path_find_fd(); with link (PATH_MAX bytes) also reads the path. */
static int scan(__u32 pid, __u32 dev, __u64 ino, char *link)
{
	char name[32];
	struct dirent *de;
	int err = -ENOENT;
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%u/fd", pid);
	dir = opendir(name);
	if (!dir)
		return -errno;
	for (int left = E4D_PATH_MAX_FDS; err == -ENOENT && left && (de = readdir(dir)); left--) {
		ssize_t n;

		if (de->d_name[0] == '.' || !is_inode(dirfd(dir), de->d_name, dev, ino))
			continue;
		err = atoi(de->d_name);
		if (!link)
			break;
		n = readlinkat(dirfd(dir), de->d_name, link, PATH_MAX);
		if (n <= 0 || n >= PATH_MAX || link[0] != '/' ||
		    !is_inode(dirfd(dir), de->d_name, dev, ino))
			err = -ENOENT; /* closed meanwhile: another may have it open */
		else
			link[n] = 0;
	}
	closedir(dir);
	return err;
}

int e4d_path_find_fd(__u32 pid, __u32 dev, __u64 ino)
{
	return scan(pid, dev, ino, NULL);
}

/* The name that the kernel still has in its cache for the inode. */
static bool by_handle(const struct e4d_record *rec, char *link)
{
	char self[32];
	ssize_t n;
	int fd = e4d_handle_open(rec, O_PATH);

	if (fd < 0)
		return false;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, link, PATH_MAX);
	close(fd);
	if (n <= 0 || n >= PATH_MAX || link[0] != '/')
		return false;
	link[n] = 0;
	/* a disconnected name is no path */
	return is_inode(AT_FDCWD, link, rec->dev, rec->ino);
}

const char *e4d_path_resolve(struct e4d_paths *p, const struct e4d_record *rec)
{
	struct entry *e = lookup(p, rec);
	char link[PATH_MAX];

	if (e && (e->path || (e->pid == rec->pid && now_ns() < e->retry_ns)))
		return e->path;
	if (!e)
		e = insert(p, rec);
	if (scan(rec->pid, rec->dev, rec->ino, link) >= 0 || by_handle(rec, link))
		e->path = strdup(link);
	if (!e->path) {
		e->pid = rec->pid;
		e->retry_ns = now_ns() + E4D_PATH_RETRY_NS;
	}
	return e->path;
}
