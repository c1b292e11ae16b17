/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * workload run DIR: runs each case in a child of its own, on a file of its
 * own, and prints one JSON line of disk truth for it:
 * {"case":"efault-off","pid":811,"dev":"7:0","ino":13,"offset":0,
 *  "submitted":1048576,"ret":-14,"isize_before":0,"isize_after":7680,
 *  "blksize":4096,"past_eof":1040384,"past_eof_unwritten":0,"prealloc":0,
 *  "allocated":1048576,"delalloc":0,"data_ok":null,"writes":1}
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/magic.h>

#include "workload.h"

#define CHILD_SECONDS 120

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3, EXIT_NOTHING = 4 };

struct totals {
	unsigned int ran;
	unsigned int skipped;
	unsigned int failed;
	unsigned int left; /* with blocks past EOF */
};

static void usage(FILE *to)
{
	fprintf(to, "usage: workload run [--keep] DIR [CASE|GLOB]...\n"
	            "       workload --list | --help\n\n"
	            "Runs direct writes on files of its own in DIR (on ext4), and prints one\n"
	            "JSON line for each with what the disk holds afterwards.\n\n"
	            "  --keep    leave the files (e4d-workload-CASE) for e2fsck or debugfs\n"
	            "  --list    the cases and what they do\n\n"
	            "examples:\n"
	            "  workload run /mnt/scratch\n"
	            "  workload run /mnt/scratch append-1m 'efault-*' > truth.jsonl\n\n"
	            "exit: 0 all ran, 1 a case broke down, 2 usage, 3 DIR is not ext4,\n"
	            "      4 nothing ran\n");
}

static int list(void)
{
	for (size_t i = 0; i < wl_case_count; i++)
		printf("%-22s %s\n", wl_cases[i].name, wl_cases[i].what);
	return EXIT_OK;
}

static void skip(const struct wl_case *c, const char *why, struct totals *t)
{
	printf("{\"case\":\"%s\",\"skip\":\"%s\"}\n", c->name, why);
	fflush(stdout);
	t->skipped++;
}

/* A case that could not be measured is no skip: it fails the run. */
static void broke(const struct wl_case *c, const char *what, int err, struct totals *t)
{
	fprintf(stderr, "workload: %s: %s: %s\n", c->name, what, strerror(-err));
	printf("{\"case\":\"%s\",\"error\":\"%s: %s\"}\n", c->name, what, strerror(-err));
	fflush(stdout);
	t->failed++;
}

/* The child: opens, writes, ends; nothing else is written by it. */
static void child(const struct wl_case *c, const char *path, struct wl_result *res)
{
	int fd;

	alarm(CHILD_SECONDS);
	fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC | c->oflags);
	if (fd < 0) {
		snprintf(res->skip, sizeof(res->skip), "O_DIRECT: %s", strerror(errno));
		_exit(0);
	}
	res->ret = c->run ? c->run(c, fd, res) : wl_run_plain(c, fd, res);
	res->done = true;
	_exit(0);
}

/* Creates and prepares the file. Returns a descriptor for measuring it. */
static int prepare(const struct wl_case *c, const char *path, struct wl_env *env)
{
	struct statfs sf;
	int fd, err;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = fstatfs(fd, &sf) ? -errno : 0;
	if (!err) {
		env->blksize = sf.f_bsize;
		env->avail = (uint64_t)sf.f_bavail * sf.f_bsize;
		err = wl_setup_common(c, fd, env);
	}
	if (!err && c->setup)
		err = c->setup(c, fd, env);
	if (!err && fsync(fd))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static void print_truth(const struct wl_case *c, pid_t pid, const struct stat *st,
                        const struct wl_result *res, const struct wl_env *env,
                        const struct wl_truth *tr, const char *data_ok)
{
	printf("{\"case\":\"%s\",\"pid\":%d,\"dev\":\"%u:%u\",\"ino\":%" PRIu64 ",", c->name,
	       (int)pid, major(st->st_dev), minor(st->st_dev), (uint64_t)st->st_ino);
	printf("\"offset\":%" PRIu64 ",\"submitted\":%" PRIu64 ",\"ret\":%" PRId64 ",", res->offset,
	       res->submitted, res->ret);
	printf("\"isize_before\":%" PRIu64 ",\"isize_after\":%" PRIu64 ",", res->isize_before,
	       (uint64_t)st->st_size);
	printf("\"blksize\":%" PRIu64 ",\"past_eof\":%" PRIu64 ",", env->blksize, tr->past_eof);
	printf("\"past_eof_unwritten\":%" PRIu64 ",\"prealloc\":%" PRIu64 ",",
	       tr->past_eof_unwritten, tr->prealloc);
	printf("\"allocated\":%" PRIu64 ",\"delalloc\":%" PRIu64 ",", tr->allocated, tr->delalloc);
	printf("\"data_ok\":%s,\"writes\":%u", data_ok, res->writes);
	printf("%s}\n", c->flags & WL_WORKER ? ",\"worker\":true" : "");
	fflush(stdout);
}

/* After the child has ended. Returns 0 or -errno. */
static int measure(const struct wl_case *c, pid_t pid, int fd, const struct wl_map *before,
                   const struct wl_result *res, const struct wl_env *env, struct totals *t)
{
	const char *data = "null";
	struct wl_truth tr;
	struct wl_map after;
	struct stat st;
	bool ok;
	int err;

	err = wl_map_read(fd, &after);
	if (err)
		return err;
	if (fstat(fd, &st)) {
		err = -errno;
		goto out;
	}
	wl_map_compare(before, &after,
	               (st.st_size + env->blksize - 1) / env->blksize * env->blksize, &tr);
	if (res->ret > 0) {
		err = wl_data_ok(fd, res, &ok);
		if (err)
			goto out;
		data = ok ? "true" : "false";
	}
	print_truth(c, pid, &st, res, env, &tr, data);
	t->ran++;
	t->left += tr.past_eof != 0;
out:
	wl_map_free(&after);
	return err;
}

/* Runs the child and measures; fd is the prepared file. */
static void execute(const struct wl_case *c, const char *path, int fd, const struct wl_env *env,
                    struct wl_result *res, struct totals *t)
{
	struct wl_map before;
	int status, err;
	pid_t pid;

	err = wl_map_read(fd, &before);
	if (err) {
		broke(c, "FIEMAP before", err, t);
		return;
	}
	pid = fork();
	if (pid == 0)
		child(c, path, res);
	if (pid < 0)
		broke(c, "fork", -errno, t);
	else if (waitpid(pid, &status, 0) < 0)
		broke(c, "waitpid", -errno, t);
	else if (res->skip[0])
		skip(c, res->skip, t);
	else if (!res->done)
		broke(c, "the writer was killed", -EINTR, t);
	else if ((err = measure(c, pid, fd, &before, res, env, t)))
		broke(c, "measuring", err, t);
	wl_map_free(&before);
}

static void scratch_path(char *buf, size_t len, const char *dir, const struct wl_case *c)
{
	snprintf(buf, len, "%s/e4d-workload-%s", dir, c->name);
}

static void run_case(const struct wl_case *c, const char *dir, struct wl_result *res,
                     struct totals *t)
{
	struct wl_env env = {.dir = dir};
	char path[4096];
	int fd;

	memset(res, 0, sizeof(*res));
	scratch_path(path, sizeof(path), dir, c);
	fd = prepare(c, path, &env);
	if (fd < 0 && env.skip[0])
		skip(c, env.skip, t);
	else if (fd < 0)
		broke(c, "setup", fd, t);
	else
		execute(c, path, fd, &env, res, t);
	if (env.filler[0])
		unlink(env.filler);
	if (fd >= 0)
		close(fd);
}

static bool wanted(const struct wl_case *c, char **globs, int count)
{
	for (int i = 0; i < count; i++)
		if (!fnmatch(globs[i], c->name, 0))
			return true;
	return count == 0;
}

/* A name or glob that matches nothing is a mistake, not an empty run. */
static const char *unmatched(char **globs, int count)
{
	for (int i = 0; i < count; i++) {
		bool hit = false;

		for (size_t k = 0; k < wl_case_count && !hit; k++)
			hit = !fnmatch(globs[i], wl_cases[k].name, 0);
		if (!hit)
			return globs[i];
	}
	return NULL;
}

/*
 * Files stay until all cases have run: a removed inode's number would be used
 * again, and pid, device and inode would no longer name one write.
 */
static void clean(const char *dir)
{
	char path[4096];

	for (size_t i = 0; i < wl_case_count; i++) {
		scratch_path(path, sizeof(path), dir, &wl_cases[i]);
		unlink(path);
	}
}

static int run(const char *dir, bool keep, char **globs, int count)
{
	const char *stray = unmatched(globs, count);
	struct totals t = {0};
	struct wl_result *res;
	struct statfs sf;

	if (stray) {
		fprintf(stderr, "workload: no case named '%s'; see workload --list\n", stray);
		return EXIT_USAGE;
	}
	if (statfs(dir, &sf) || sf.f_type != EXT4_SUPER_MAGIC) {
		fprintf(stderr, "workload: %s is not a directory on ext4; see tools/image.sh\n",
		        dir);
		return EXIT_CANNOT;
	}
	res = mmap(NULL, sizeof(*res), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (res == MAP_FAILED) {
		fprintf(stderr, "workload: no memory\n");
		return EXIT_CANNOT;
	}
	for (size_t i = 0; i < wl_case_count; i++)
		if (wanted(&wl_cases[i], globs, count))
			run_case(&wl_cases[i], dir, res, &t);
	if (!keep)
		clean(dir);
	fprintf(stderr, "workload: %u ran, %u skipped, %u failed; %u left blocks past EOF\n", t.ran,
	        t.skipped, t.failed, t.left);
	if (t.failed)
		return EXIT_FAILED;
	return t.ran ? EXIT_OK : EXIT_NOTHING;
}

int main(int argc, char **argv)
{
	bool keep = false;
	int at = 2;

	if (argc == 2 && !strcmp(argv[1], "--list"))
		return list();
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return EXIT_OK;
	}
	if (argc > at && !strcmp(argv[1], "run")) {
		if (!strcmp(argv[at], "--keep")) {
			keep = true;
			at++;
		}
		if (at < argc && argv[at][0] != '-')
			return run(argv[at], keep, argv + at + 1, argc - at - 1);
	}
	usage(stderr);
	return EXIT_USAGE;
}
