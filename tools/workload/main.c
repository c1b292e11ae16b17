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
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "cases.h"

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
static void broke(const struct wl_case *c, const char *why, struct totals *t)
{
	fprintf(stderr, "workload: %s: %s\n", c->name, why);
	printf("{\"case\":\"%s\",\"error\":\"%s\"}\n", c->name, why);
	fflush(stdout);
	t->failed++;
}

/* Creates and prepares the file. Returns a descriptor for measuring it. */
static int prepare(const struct wl_case *c, const char *path, struct wl_env *env)
{
	int fd, err;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = wl_prepare(c, fd, env);
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

/* Runs the child and measures; fd is the prepared file. */
static void execute(const struct wl_case *c, const char *path, int fd, const struct wl_env *env,
                    struct wl_result *res, struct totals *t)
{
	const struct wl_how_run how = {.seconds = CHILD_SECONDS};
	struct wl_outcome out;

	switch (wl_execute(c, path, fd, env, &how, res, &out)) {
	case WL_RAN:
		print_truth(c, out.pid, &out.st, res, env, &out.truth,
		            res->ret <= 0 ? "null"
		            : out.data_ok ? "true"
		                          : "false");
		t->ran++;
		t->left += out.truth.past_eof != 0;
		break;
	case WL_SKIPPED:
		skip(c, res->skip, t);
		break;
	case WL_BROKE:
		broke(c, out.broke, t);
		break;
	}
	wl_outcome_free(&out);
}

static void scratch_path(char *buf, size_t len, const char *dir, const struct wl_case *c)
{
	snprintf(buf, len, "%s/e4d-workload-%s", dir, c->name);
}

static void run_case(const struct wl_case *c, const char *dir, struct wl_result *res,
                     struct totals *t)
{
	struct wl_env env = {.dir = dir};
	char path[4096], why[80];
	int fd;

	scratch_path(path, sizeof(path), dir, c);
	fd = prepare(c, path, &env);
	if (fd < 0 && env.skip[0])
		skip(c, env.skip, t);
	else if (fd < 0) {
		snprintf(why, sizeof(why), "setup: %s", strerror(-fd));
		broke(c, why, t);
	} else
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
	res = wl_result_new();
	if (!res) {
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
