/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* One real write, and whether the tracer saw it. */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <linux/magic.h>
#include <unistd.h>
#include "cmd/doctor.h"
#include "record/names.h"
#include "session/session.h"

#define LIVE_BYTES 65536u
#define LIVE_TRIES 300 /* of 10 ms */

struct live {
	__u64 ino;
	__u32 pid;
	bool seen;
	struct e4d_record rec;
};

static int on_record(void *ctx, struct e4d_record *rec)
{
	struct live *l = ctx;

	if (rec->pid != l->pid || rec->ino != l->ino)
		return 0;
	l->seen = true;
	l->rec = *rec;
	return 0;
}

static bool usable(const char *dir)
{
	struct statfs fs;

	return !statfs(dir, &fs) && fs.f_type == EXT4_SUPER_MAGIC && !(fs.f_flags & ST_RDONLY);
}

/* The first writable ext4 mount; false when there is none. */
static bool find_ext4(char *dir, size_t len)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (f && !found && (m = getmntent(f))) {
		if (strcmp(m->mnt_type, "ext4") || !usable(m->mnt_dir) || access(m->mnt_dir, W_OK))
			continue;
		snprintf(dir, len, "%s", m->mnt_dir);
		found = true;
	}
	if (f)
		endmntent(f);
	return found;
}

/* In a child: its own process is never traced. It writes, and exits. */
static pid_t write_once(int go[2], int fd)
{
	pid_t pid = fork();
	void *buf;
	char c;

	if (pid)
		return pid;
	close(go[1]);
	buf = mmap(NULL, LIVE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED || read(go[0], &c, 1) != 1)
		_exit(1);
	_exit(pwrite(fd, buf, LIVE_BYTES, 0) == LIVE_BYTES ? 0 : 1);
}

static void judge(struct e4d_report *rep, const struct live *l, const char *tier, int status)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		e4d_report_line(rep, E4D_FAIL, "one real write", "try another directory",
		                "the direct write itself failed");
	else if (!l->seen)
		e4d_report_line(rep, E4D_FAIL, "one real write", "try another --tier",
		                "tier %s: no record of it came back", tier);
	else if (l->rec.verdict == E4D_UNKNOWN || l->rec.submitted != LIVE_BYTES)
		e4d_report_line(rep, E4D_FAIL, "one real write",
		                "run doctor again; if it stays, "
		                "report it with this output",
		                "tier %s: the record is not right (%s, %u bytes)", tier,
		                e4d_verdict_name(l->rec.verdict), l->rec.submitted);
	else
		e4d_report_line(rep, E4D_PASS, "one real write", NULL,
		                "tier %s: its record came back, %u bytes mapped, %s", tier,
		                l->rec.mapped, e4d_verdict_name(l->rec.verdict));
}

static void trace_one(struct e4d_report *rep, int fd, const struct stat *st)
{
	struct live l = {.ino = st->st_ino};
	struct e4d_session_opts so = {.on_record = on_record, .ctx = &l};
	struct e4d_session *s = NULL;
	int go[2], status = -1, err;
	char why[1024] = "";

	if (pipe2(go, O_CLOEXEC))
		return;
	l.pid = write_once(go, fd);
	so.cfg.all = 1;
	so.cfg.ino = st->st_ino;
	so.cfg.dev = major(st->st_dev) << 20 | minor(st->st_dev);
	err = e4d_session_open(&so, &s, why, sizeof(why));
	if (err) {
		e4d_report_line(rep, E4D_FAIL, "one real write", NULL, "%s", why);
	} else if (write(go[1], "g", 1) == 1) {
		waitpid(l.pid, &status, 0);
		for (int i = 0; i < LIVE_TRIES && !l.seen && !err; i++) {
			err = e4d_session_tick(s);
			usleep(10000);
		}
		judge(rep, &l, e4d_tier_name(e4d_session_tier(s)), status);
	}
	close(go[0]);
	close(go[1]);
	if (err)
		waitpid(l.pid, NULL, 0);
	e4d_session_close(s);
}

void e4d_doctor_live(struct e4d_report *rep, const char *dir)
{
	char found[4096];
	struct stat st;
	int fd;

	if (!dir && find_ext4(found, sizeof(found)))
		dir = found;
	if (!dir || !usable(dir)) {
		e4d_report_line(rep, E4D_FAIL, "one real write",
		                "name a directory on a writable ext4: ext4diotop doctor DIR",
		                dir ? "%s is not on a writable ext4"
		                    : "no writable ext4 is mounted%.0s",
		                dir ? dir : "");
		return;
	}
	fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st)) {
		e4d_report_line(rep, E4D_FAIL, "one real write", "try another directory",
		                "%s: no unnamed file can be made: %s", dir, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	trace_one(rep, fd, &st);
	close(fd);
}
