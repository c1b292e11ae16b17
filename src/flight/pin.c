/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "flight/pin.h"
#include "session/session.h"

#define TOP "ext4diotop"

/* A directory of ours: root's alone, whoever may write beside it. -EPERM: not so. */
static int open_own(int at, const char *name)
{
	struct stat st;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && st.st_uid == geteuid() && !(st.st_mode & 0077))
		return fd;
	close(fd);
	return -EPERM;
}

/* BPFFS/ext4diotop, which is made if it is to be. */
static int open_top(const char *bpffs, bool make, char *why, size_t why_len)
{
	const char *path = bpffs ? bpffs : E4D_BPFFS;
	int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	struct statfs fs;
	struct stat st;

	if (at < 0 || fstatfs(at, &fs) || fs.f_type != BPF_FS_MAGIC) {
		snprintf(why, why_len,
		         "no bpffs is mounted at %s: mount -t bpf -o mode=0700 bpf %s, or name "
		         "another with --bpffs",
		         path, path);
		fd = -ENODEV;
	} else if (fstat(at, &st) || (st.st_uid && st.st_uid != geteuid()) ||
	           ((st.st_mode & 0022) && !(st.st_mode & S_ISVTX))) {
		snprintf(why, why_len,
		         "others may rename what is in %s: chmod 0700 it, or mount a bpffs of your "
		         "own and name it with --bpffs",
		         path);
		fd = -EPERM;
	} else {
		fd = make && mkdirat(at, TOP, 0700) && errno != EEXIST ? -errno : open_own(at, TOP);
		if (fd == -EPERM)
			snprintf(why, why_len,
			         "%s/" TOP " is not ours alone, somebody else made it: remove it "
			         "(rm -r), and look who did",
			         path);
		else if (fd < 0 && fd != -ENOENT)
			snprintf(why, why_len, "%s/" TOP ": %s", path, strerror(-fd));
		else if (fd < 0)
			snprintf(why, why_len, "nothing is pinned in %s", path);
	}
	if (at >= 0)
		close(at);
	return fd;
}

/* bpf(2) takes paths: one that begins at a descriptor, so that nobody can put another in between.
 */
static void name_path(char *path, size_t len, int dir, const char *name)
{
	snprintf(path, len, "/proc/self/fd/%d/%s", dir, name);
}

static int pin_one(const struct e4d_pins *p, int fd, const char *name)
{
	char path[128];

	name_path(path, sizeof(path), p->dir, name);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

static int pin_all(const struct e4d_pins *p, struct e4d_session *s)
{
	const struct e4d_attached *a = e4d_session_attached(s);
	char name[80];
	int err = pin_one(p, a->ring_fd, "ring");

	err = err ? err : pin_one(p, a->shared_fd, "shared");
	err = err ? err : pin_one(p, a->inflight_fd, "inflight");
	for (int i = 0; i < a->n && !err; i++) {
		snprintf(name, sizeof(name), E4D_PIN_LINK, a->tier, a->hooks[i]->prog);
		err = pin_one(p, bpf_link__fd(a->links[i]), name);
	}
	return err;
}

int e4d_pins_make(struct e4d_pins *p, const char *bpffs, struct e4d_session *s, char *why,
                  size_t why_len)
{
	const uint8_t *uuid = e4d_session_ring(s)->uuid;
	int err;

	memset(p, 0, sizeof(*p));
	err = open_top(bpffs, true, why, why_len);
	if (err < 0)
		return err;
	p->top = err;
	snprintf(p->id, sizeof(p->id), "%02x%02x%02x%02x", uuid[0], uuid[1], uuid[2], uuid[3]);
	err = mkdirat(p->top, p->id, 0700) ? -errno : 0;
	if (!err) {
		p->dir = open_own(p->top, p->id);
		err = p->dir < 0 ? p->dir : flock(p->dir, LOCK_EX | LOCK_NB) ? -errno : 0;
		if (!err)
			err = pin_all(p, s);
		if (err)
			e4d_pins_remove(p);
	}
	if (err)
		snprintf(why, why_len, "pinning failed: %s; use another --tier, or leave --pin out",
		         strerror(-err));
	return err;
}

bool e4d_pins_alive(const struct e4d_pins *p)
{
	if (flock(p->dir, LOCK_SH | LOCK_NB))
		return true;
	flock(p->dir, LOCK_UN);
	return false;
}

/* Calls fn for each entry of a directory; stops at a value that is not zero, which it returns. */
static int each(int dir, int (*fn)(void *ctx, int dir, const char *name), void *ctx)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return -errno;
	while (!err && (e = readdir(d)))
		if (e->d_name[0] != '.')
			err = fn(ctx, dir, e->d_name);
	closedir(d);
	return err;
}

struct listing {
	void (*fn)(void *ctx, const char *id, bool alive);
	void *ctx;
};

static int list_one(void *ctx, int dir, const char *name)
{
	struct listing *l = ctx;
	struct e4d_pins p = {.dir = open_own(dir, name)};

	if (p.dir < 0)
		return 0;
	l->fn(l->ctx, name, e4d_pins_alive(&p));
	close(p.dir);
	return 0;
}

int e4d_pins_list(const char *bpffs, void (*fn)(void *ctx, const char *id, bool alive), void *ctx,
                  char *why, size_t why_len)
{
	struct listing l = {fn, ctx};
	int top = open_top(bpffs, false, why, why_len), err;

	if (top < 0)
		return top;
	err = each(top, list_one, &l);
	close(top);
	return err;
}

struct choice {
	char id[16], all[256];
	unsigned int n;
};

static void choose(void *ctx, const char *id, bool alive)
{
	struct choice *c = ctx;
	size_t len = strlen(c->all);

	snprintf(c->id, sizeof(c->id), "%s", id);
	snprintf(c->all + len, sizeof(c->all) - len, " %s", id);
	c->n++;
}

int e4d_pins_open(struct e4d_pins *p, const char *bpffs, const char *id, char *why, size_t why_len)
{
	struct choice c = {0};
	int err;

	memset(p, 0, sizeof(*p));
	if (!id) {
		err = e4d_pins_list(bpffs, choose, &c, why, why_len);
		if (!err && c.n != 1)
			err = c.n ? -E2BIG : -ENOENT;
		if (err == -E2BIG)
			snprintf(why, why_len, "there are several recorders: --id one of%s", c.all);
		else if (err == -ENOENT)
			snprintf(why, why_len,
			         "no recorder is pinned: start one with 'record --flight --pin'; "
			         "one that is not pinned dumps on SIGUSR2");
		if (err)
			return err;
		id = c.id;
	}
	err = strchr(id, '/') || id[0] == '.' ? -EINVAL : open_top(bpffs, false, why, why_len);
	if (err == -EINVAL)
		snprintf(why, why_len, "'%s' is no recorder's id", id);
	if (err < 0)
		return err;
	p->top = err;
	snprintf(p->id, sizeof(p->id), "%s", id);
	p->dir = open_own(p->top, id);
	if (p->dir >= 0)
		return 0;
	err = p->dir;
	snprintf(why, why_len, "no recorder %s of ours is there: %s; 'snapshot --list' names them",
	         id, strerror(-err));
	e4d_pins_close(p);
	return err;
}

static int remove_one(void *ctx, int dir, const char *name)
{
	unlinkat(dir, name, 0);
	return 0;
}

void e4d_pins_remove(struct e4d_pins *p)
{
	if (p->dir > 0)
		each(p->dir, remove_one, NULL);
	if (p->top > 0) {
		unlinkat(p->top, p->id, AT_REMOVEDIR);
		e4d_pins_close(p);
	}
}

void e4d_pins_close(struct e4d_pins *p)
{
	if (p->dir > 0)
		close(p->dir);
	if (p->top > 0)
		close(p->top);
	p->dir = p->top = 0;
}
