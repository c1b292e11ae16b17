/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the live view saves has paths, also of files that were never shown. */
#include <time.h>
#include <unistd.h>
#include "feeds.h"
#include "trace/reader.h"

#define WRITES 300

static char dir[64];

static const char *path_or_hang(struct e4d_feed *f, const struct e4d_record *rec)
{
	if (rec->ino == WRITES) /* the last; not for good: it is a process that stays */
		sleep(10);
	return rec->ino == 7 ? NULL : fake_path(f, rec);
}

/* Writes in the dump that have a path. */
static unsigned int paths_in(const char *name, unsigned int *writes)
{
	struct e4d_trace_reader *r;
	struct e4d_trace_write w;
	unsigned int paths = 0;
	char why[256], want[64];

	*writes = 0;
	assert_int_equal(e4d_trace_open(&r, &name, 1, why, sizeof(why)), 0);
	while (e4d_trace_next(r, &w) == 1) {
		++*writes;
		snprintf(want, sizeof(want), "/srv/data/file-%llu", (unsigned long long)w.rec->ino);
		paths += w.path && (w.rec->ino == 66 || !strcmp(w.path, want)); /* feeds.h */
	}
	e4d_trace_close(r);
	return paths;
}

static void feed_writes(struct fixture *x)
{
	for (uint64_t i = 1; i <= WRITES; i++) {
		struct e4d_record r = leak(i, x->k.now);

		r.verdict = E4D_CLEAN;
		feed(x, &r);
	}
}

static void save(struct fixture *x, const char *name)
{
	char text[128];

	snprintf(text, sizeof(text), "w\025%s/%s\n", dir, name);
	keys(x, text);
}

static void paths_are_looked_up(void **state)
{
	struct fixture *x = *state;
	char name[96];
	unsigned int n;

	feed_writes(x);
	save(x, "all");
	assert_non_null(strstr(x->v.message, "300 writes saved"));
	assert_null(strstr(x->v.message, "without"));
	snprintf(name, sizeof(name), "%s/all", dir);
	assert_int_equal(paths_in(name, &n), WRITES);
	keys(x, "\\path~*file-29*\n"); /* the filter knows them too: 29, 290 ... 299 */
	save(x, "some");
	snprintf(name, sizeof(name), "%s/some", dir);
	assert_int_equal(paths_in(name, &n), 11);
	assert_int_equal(n, 11);
}

static void a_file_system_hangs(void **state)
{
	struct fixture *x = *state;
	struct e4d_feed_ops ops = fake_ops;
	time_t begin = time(NULL);
	char name[96];
	unsigned int n;

	ops.path = path_or_hang;
	x->k.feed.ops = &ops;
	feed_writes(x);
	save(x, "hung");
	assert_non_null(strstr(x->v.message, "2 of them without a path"));
	assert_true(time(NULL) < begin + 5);
	snprintf(name, sizeof(name), "%s/hung", dir);
	assert_int_equal(paths_in(name, &n), WRITES - 2);
	assert_int_equal(n, WRITES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths_are_looked_up, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_system_hangs, setup, teardown),
	};
	char command[96];
	int rc;

	setlocale(LC_CTYPE, "C.UTF-8");
	strcpy(dir, "/tmp/e4d-save.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || rc;
}
