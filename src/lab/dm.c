/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/dm-ioctl.h>
#include <linux/fs.h>

#include "lab/dm.h"

#define SECTOR 512

struct target {
	uint64_t from, to; /* sectors */
	const char *type;
	char params[64];
};

/* One request: the header, and room for targets. */
struct request {
	struct dm_ioctl head;
	char targets[3 * (sizeof(struct dm_target_spec) + 64)];
};

static void begin(struct request *q, const struct lab_dm *d, uint32_t flags)
{
	memset(q, 0, sizeof(*q));
	q->head.version[0] = DM_VERSION_MAJOR;
	q->head.data_size = sizeof(*q);
	q->head.data_start = sizeof(q->head);
	q->head.flags = flags;
	snprintf(q->head.name, sizeof(q->head.name), "%s", d->name);
}

static int simple(struct lab_dm *d, unsigned long cmd, uint32_t flags)
{
	struct request q;

	begin(&q, d, flags);
	return ioctl(d->control, cmd, &q) ? -errno : 0;
}

static int load(struct lab_dm *d, const struct target *t, unsigned int count)
{
	struct dm_target_spec spec;
	struct request q;
	size_t at = 0;

	begin(&q, d, 0);
	q.head.target_count = count;
	for (unsigned int i = 0; i < count; i++) {
		size_t len = sizeof(spec) + (strlen(t[i].params) + 8) / 8 * 8;

		memset(&spec, 0, sizeof(spec));
		spec.sector_start = t[i].from;
		spec.length = t[i].to - t[i].from;
		spec.next = (uint32_t)len;
		snprintf(spec.target_type, sizeof(spec.target_type), "%s", t[i].type);
		memcpy(q.targets + at, &spec, sizeof(spec));
		strcpy(q.targets + at + sizeof(spec), t[i].params);
		at += len;
	}
	return ioctl(d->control, DM_TABLE_LOAD, &q) ? -errno : 0;
}

/*
 * DM_DEV_SUSPEND without its flag is the resume, which suspends first where a table was
 * loaded, and takes that. The file system is not frozen: its thaw would write the
 * superblock, and take a failing device for the end.
 */
static int swap(struct lab_dm *d, const struct target *t, unsigned int count)
{
	int err = load(d, t, count);

	return err ? err : simple(d, DM_DEV_SUSPEND, DM_SKIP_LOCKFS_FLAG);
}

static void linear(const struct lab_dm *d, struct target *t, uint64_t from, uint64_t to)
{
	*t = (struct target){from, to, "linear", ""};
	snprintf(t->params, sizeof(t->params), "%s %llu", d->below, (unsigned long long)from);
}

int lab_dm_mend(struct lab_dm *d)
{
	struct target t;

	linear(d, &t, 0, d->sectors);
	return swap(d, &t, 1);
}

int lab_dm_fail_writes(struct lab_dm *d)
{
	struct target t = {0, d->sectors, "flakey", ""};

	/* up for 0 seconds, down for longer than a case takes */
	snprintf(t.params, sizeof(t.params), "%s 0 0 3600 1 error_writes", d->below);
	return swap(d, &t, 1);
}

int lab_dm_fail_range(struct lab_dm *d, uint64_t from, uint64_t to)
{
	struct target t[3];

	from /= SECTOR;
	to /= SECTOR;
	if (!from || from >= to || to >= d->sectors)
		return -EINVAL;
	linear(d, &t[0], 0, from);
	t[1] = (struct target){from, to, "error", ""};
	linear(d, &t[2], to, d->sectors);
	return swap(d, t, 3);
}

static int measure(struct lab_dm *d, const char *below)
{
	int fd = open(below, O_RDONLY | O_CLOEXEC), err = 0;
	uint64_t bytes = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || ioctl(fd, BLKGETSIZE64, &bytes))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err)
		return err;
	snprintf(d->below, sizeof(d->below), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	d->sectors = bytes / SECTOR;
	return 0;
}

/*
 * The device goes when its last user does: told so at once, for this process may be
 * killed at any time. Removal can be deferred while it is open only, and since 5.16 it
 * can be opened only with a table.
 */
static int create(struct lab_dm *d)
{
	struct request q;
	int err;

	snprintf(d->name, sizeof(d->name), "e4d-lab-%d", (int)getpid());
	begin(&q, d, 0);
	if (ioctl(d->control, DM_DEV_CREATE, &q))
		return -errno;
	snprintf(d->path, sizeof(d->path), "/dev/dm-%u", minor(q.head.dev));
	err = lab_dm_mend(d);
	if (!err) {
		d->fd = open(d->path, O_RDONLY | O_CLOEXEC);
		err = d->fd < 0 ? -errno : simple(d, DM_DEV_REMOVE, DM_DEFERRED_REMOVE);
	}
	if (!err)
		return 0;
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	simple(d, DM_DEV_REMOVE, 0);
	return err;
}

static int open_control(void)
{
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int lab_dm_here(void)
{
	int fd = open_control();

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int lab_dm_open(struct lab_dm *d, const char *below)
{
	int err;

	d->fd = -1;
	d->control = open_control();
	if (d->control < 0)
		return d->control;
	err = measure(d, below);
	if (!err)
		err = create(d);
	if (err)
		lab_dm_close(d);
	return err;
}

void lab_dm_close(struct lab_dm *d)
{
	if (d->fd >= 0)
		close(d->fd);
	close(d->control);
}
