/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lab/fsck.h"
#include "lab/image.h"
#include "lab/lab.h"
#include "lab/medium.h"

/* A run under way; the hooks' context. */
struct bench {
	struct e4d_lab *lab;
	struct e4d_vrun *r;
	struct lab_media media;
	const struct lab_kind *kind;
	struct wl_result *shared;
	int (*attach)(void *ctx, struct e4d_vresult *results, size_t count);
	void *ctx;
	size_t at; /* the result under way */
	bool mounted;
	unsigned int checked; /* bits of the kinds, by e2fsck */
};

static int before(void *ctx, struct e4d_vresult *res, int fd, char *why, size_t len)
{
	struct bench *b = ctx;

	return lab_arm(&b->media, res->c, fd, why, len);
}

static void ended(void *ctx)
{
	struct bench *b = ctx;

	lab_disarm(&b->media);
}

static void file_path(const struct bench *b, size_t at, char *path, size_t len)
{
	snprintf(path, len, "%s/case-%zu", b->lab->work, at);
}

/* What a mount after a crash finds: there was no block in the file before the write. */
static int measure_again(struct bench *b, int fd, struct wl_outcome *out)
{
	const struct wl_map none = {0};
	uint64_t mask = b->r->mount.fs.blksize - 1;
	int err;

	wl_map_free(&out->after);
	err = wl_map_read(fd, &out->after);
	if (!err && fstat(fd, &out->st))
		err = -errno;
	if (!err)
		wl_map_compare(&none, &out->after, ((uint64_t)out->st.st_size + mask) & ~mask,
		               &out->truth);
	return err;
}

static int after(void *ctx, struct e4d_vresult *res, int *fd, struct wl_outcome *out)
{
	struct bench *b = ctx;
	char path[PATH_MAX + 32], why[200];
	int err;

	if (res->c->trouble != E4D_V_REMOUNT)
		return 0;
	close(*fd);
	*fd = -1;
	err = lab_umount(b->lab->work);
	b->mounted = err != 0;
	if (!err)
		err = lab_mount(b->kind, b->media.dev, b->lab->work, why, sizeof(why));
	if (err)
		return err;
	b->mounted = true;
	file_path(b, b->at, path, sizeof(path));
	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 ? -errno : measure_again(b, *fd, out);
}

/* With a name: what an orphan's entry is good for, and e2fsck says, is of named files. */
static int named(struct e4d_vrun *r, size_t at)
{
	struct bench *b = r->hooks.ctx;
	char path[PATH_MAX + 32];
	int fd;

	b->at = at;
	if (!b->mounted)
		return -ENODEV;
	file_path(b, at, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static void skip_all(struct bench *b, size_t from, size_t to, const char *why)
{
	for (; from < to; from++)
		if (b->r->results[from].kernel != E4D_V_SKIP)
			e4d_vrun_skip(&b->r->results[from], why);
}

/* The extents' conversion keeps some clusters back; a case is to reach the last one. */
static void no_reserve(const char *device)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/fs/ext4/%.64s/reserved_clusters", device);
	f = fopen(path, "we");
	if (f) {
		fputs("0", f);
		fclose(f);
	}
}

/* The image is mounted: 0, or a code that ends the run. */
static int run_mounted(struct bench *b, size_t from, size_t to)
{
	struct e4d_vrun *r = b->r;
	enum e4d_exit code = e4d_vmount_look(&r->mount, b->lab->work);
	int rc;

	if (!code)
		code = e4d_vmount_probe(&r->mount);
	if (code) {
		skip_all(b, from, to, r->mount.why);
		return 0;
	}
	no_reserve(r->mount.device);
	rc = b->attach(b->ctx, r->results + from, to - from);
	for (size_t at = from; at < to && !rc; at++) {
		int fd = e4d_vrun_case(r, at, named, b->shared);

		if (fd >= 0)
			close(fd);
	}
	e4d_vtracer_settle(&r->tracer, false);
	return rc;
}

/* The result for the image as a whole; NULL: nobody wants it. */
static struct e4d_vresult *whole(struct bench *b, size_t at)
{
	struct e4d_vrun *r = b->r;

	for (; at < r->count && lab_kind_of(&r->results[at]) == b->kind; at++)
		if (r->results[at].c->medium == E4D_V_FSCK)
			return &r->results[at];
	return NULL;
}

static void image_fails(struct bench *b, size_t to, const char *medium, const char *what)
{
	struct e4d_vresult *all = whole(b, to);
	char why[256];

	snprintf(why, sizeof(why), "%s: %.200s", medium, what);
	if (all && all->kernel != E4D_V_SKIP)
		e4d_vcheck_fail(all, "e2fsck", why);
}

/* Not mounted any more. */
static void check_image(struct bench *b, const struct lab_medium *m, size_t from, size_t to)
{
	struct e4d_vresult *all = whole(b, to);
	char other[200] = "";
	int err = lab_fsck(b->media.dev, b->r->results + from, to - from, other, sizeof(other));

	if (err == -ENOENT && all)
		e4d_vrun_skip(all, "no e2fsck here: install e2fsprogs");
	else if (err || *other)
		image_fails(b, to, m->name, err ? strerror(-err) : other);
	if (!err)
		b->checked |= 1u << (b->kind - lab_kinds);
}

/* From a medium that is up to a mount. 0 or -errno with why. */
static int make_image(struct bench *b, const struct lab_medium *m, char *why, size_t len)
{
	int err = m->wipe ? m->wipe(&b->media) : 0;

	if (!err)
		err = lab_mkfs(b->kind, b->media.dev, why, len);
	if (!err && m->made)
		err = m->made(&b->media);
	if (err && !*why)
		snprintf(why, len, "%s: %s", m->name, strerror(-err));
	return err ? err : lab_mount(b->kind, b->media.dev, b->lab->work, why, len);
}

/* Results [from, to) on one image. 0, or a code that ends the run. */
static int run_image(struct bench *b, const struct lab_medium *m, size_t from, size_t to)
{
	char why[200] = "";
	int rc, err;

	if (make_image(b, m, why, sizeof(why))) {
		skip_all(b, from, to, why);
		return 0;
	}
	b->mounted = true;
	rc = run_mounted(b, from, to);
	err = b->mounted ? lab_umount(b->lab->work) : 0;
	if (err)
		image_fails(b, to, m->name, "it stays mounted until the end");
	else
		check_image(b, m, from, to);
	b->mounted = false;
	return rc;
}

/* Finds the next results for this medium, all of one kind: [*from, *to). */
static bool next_image(struct bench *b, const struct lab_medium *m, size_t *from, size_t *to)
{
	const struct e4d_vresult *res = b->r->results;

	for (*from = *to; *from < b->r->count; (*from)++)
		if (res[*from].kernel != E4D_V_SKIP && lab_medium_of(res[*from].c) == m)
			break;
	if (*from == b->r->count)
		return false;
	b->kind = lab_kind_of(&res[*from]);
	for (*to = *from; *to < b->r->count; (*to)++)
		if (lab_kind_of(&res[*to]) != b->kind || lab_medium_of(res[*to].c) != m)
			break;
	return true;
}

/* A medium serves every kind, so that the tracer stays on its device. */
static int run_medium(struct bench *b, const struct lab_medium *m)
{
	size_t from, to = 0;
	char why[200] = "";
	int rc = 0, err;

	if (!next_image(b, m, &from, &to))
		return 0;
	err = m->here ? m->here(why, sizeof(why)) : 0;
	if (!err)
		err = m->up(&b->media, why, sizeof(why));
	do {
		if (err)
			skip_all(b, from, to, why);
		else
			rc = run_image(b, m, from, to);
	} while (!rc && next_image(b, m, &from, &to));
	e4d_vtracer_close(&b->r->tracer);
	if (!err)
		m->down(&b->media);
	return rc;
}

static int run_all(struct bench *b)
{
	int rc = 0;

	for (size_t i = 0; i < lab_medium_count && !rc; i++)
		rc = run_medium(b, &lab_mediums[i]);
	for (size_t i = 0; i < b->r->count; i++) {
		struct e4d_vresult *res = &b->r->results[i];

		if (res->c->medium != E4D_V_FSCK || res->kernel != E4D_V_PASS)
			continue;
		if (!(b->checked & 1u << (lab_kind_of(res) - lab_kinds)))
			e4d_vrun_skip(res, "no image of this kind was made");
	}
	return rc;
}

enum e4d_exit e4d_lab_go(struct e4d_lab *lab, struct e4d_vrun *r,
                         int (*attach)(void *ctx, struct e4d_vresult *results, size_t count),
                         void *ctx)
{
	struct bench b = {.lab = lab, .r = r, .attach = attach, .ctx = ctx};
	int err = lab_namespace(), rc;

	b.shared = wl_result_new();
	if (err || !b.shared) {
		snprintf(lab->why, sizeof(lab->why),
		         "no mount namespace: %s; run as root, and not in a container",
		         strerror(err ? -err : ENOMEM));
		return E4D_EXIT_CANNOT;
	}
	b.media.work = lab->work;
	b.media.scratch = lab->scratch;
	b.media.ballast = -1;
	r->where = lab->where;
	r->mount.dir = lab->work;
	r->hooks = (struct e4d_vhooks){before, ended, after, &b};
	e4d_vrun_begin(r);
	rc = run_all(&b);
	e4d_vrun_end(r);
	r->hooks = (struct e4d_vhooks){0};
	return rc;
}
