/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The dump's writer: packets as include/trace.h says, whatever order the records come in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "plain.h"
#include "trace/reader.h"
#include "trace/writer.h"
#include "util/crc32c.h"

#define WRITES 20000

static char dir[64];
static const struct e4d_trace_info info = {"host", "6.1", "test", "", E4D_TIER_FENTRY, 1000};

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/e4d-writer.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	DIR *list = opendir(dir);
	struct dirent *de;

	(void)state;
	while (list && (de = readdir(list)))
		unlinkat(dirfd(list), de->d_name, 0);
	if (list)
		closedir(list);
	return rmdir(dir);
}

static struct e4d_trace_writer *create(const struct e4d_trace_limits *limits)
{
	struct e4d_trace_writer *w;
	char why[256] = "";

	if (e4d_trace_create(&w, dir, &info, limits, why, sizeof(why)))
		fail_msg("expected a writer, got '%s'", why);
	return w;
}

static void end(struct e4d_trace_writer *w, int want)
{
	assert_int_equal(e4d_trace_finish(w), want);
	e4d_trace_writer_close(w);
}

/* What is in one file. */
struct seen {
	unsigned int packets, ids[16];
	uint64_t first_seq, next_seq, first_time, last_time;
	off_t size;
};

static void see_event(struct seen *s, const struct e4d_event *e)
{
	assert_true(e->timestamp >= s->last_time);
	assert_int_equal(e->size % 8, 0);
	assert_int_equal(e->reserved, 0);
	assert_in_range(e->id, E4D_EV_WRITE, E4D_EV_COUNT - 1);
	s->last_time = e->timestamp;
	s->ids[e->id]++;
}

/* Checks the packet at p as a reader would that knows the format only. Its bytes. */
static size_t see_packet(struct seen *s, const unsigned char *p, size_t left)
{
	const struct e4d_packet *head = (const void *)p;
	const struct e4d_packet_end *tail;
	size_t size, at = sizeof(*head);
	unsigned int events = 0;

	assert_true(left >= 4096);
	size = head->packet_size / 8;
	assert_int_equal(head->magic, 0xc1fc1fc1);
	assert_int_equal(head->stream_id, 0);
	assert_int_equal(size % 4096, 0);
	assert_in_range(size, 4096, left);
	assert_in_range(head->content_size / 8, at, size - sizeof(*tail));
	tail = (const void *)(p + size - sizeof(*tail));
	assert_int_equal(tail->magic, 0x44344543);
	assert_int_equal(tail->crc, e4d_crc32c_table(0, p, size - 4));
	assert_true(!s->packets || head->timestamp_begin > s->last_time);
	if (!s->packets++) {
		s->first_seq = s->next_seq = head->packet_seq_num;
		s->first_time = head->timestamp_begin;
	}
	assert_int_equal(head->packet_seq_num, s->next_seq++);
	assert_int_equal(((const struct e4d_event *)(p + at))->timestamp, head->timestamp_begin);
	for (; at < head->content_size / 8; events++) {
		const struct e4d_event *e = (const void *)(p + at);

		see_event(s, e);
		at += e->size;
	}
	assert_int_equal(at, head->content_size / 8);
	assert_int_equal(s->last_time, head->timestamp_end);
	assert_int_equal(events, tail->events);
	return size;
}

/* False: the file is not there. The stream's state goes on in *s. */
static bool see(struct seen *s, const char *name)
{
	char path[128];
	struct stat st;
	unsigned char *data;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	data = malloc((size_t)st.st_size);
	assert_non_null(data);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	for (off_t at = 0; at < st.st_size;)
		at += (off_t)see_packet(s, data + at, (size_t)(st.st_size - at));
	s->size += st.st_size;
	free(data);
	close(fd);
	return true;
}

static uint64_t dump_bytes(void)
{
	DIR *list = opendir(dir);
	struct dirent *de;
	uint64_t sum = 0;
	struct stat st;

	assert_non_null(list);
	while ((de = readdir(list)))
		if (!fstatat(dirfd(list), de->d_name, &st, 0) && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	closedir(list);
	return sum;
}

/* Distinct in each field; every other one says all by half. */
static void make(struct e4d_record *r, uint64_t n)
{
	uint32_t latency = (uint32_t)(n * 31 % 20000);
	struct e4d_ev_inside e = {
		.head.timestamp = 1000000 + 1000 * n + n * 7919 % 5000 + latency,
		.seq_be = __builtin_bswap64(n),
		.offset_be = __builtin_bswap64(n * 4096),
		.isize = 1 << 30,
		.latency_ns = latency,
		.ino = 12 + n % 3,
		.dev = 7 << 20 | 1,
		.gen = 99,
		.submitted = 4096,
		.mapped = 4096,
		.pid = 5,
		.tid = 6,
		.cpu = n % 3,
		.extents = 1,
		.blkbits = 12,
		.tier = E4D_TIER_FENTRY,
		.version = E4D_RECORD_VERSION,
		.comm = "writer",
	};

	e4d_inside_expand(r, &e);
	if (n % 2 == 0)
		return;
	r->verdict = E4D_LEAK;
	r->past_eof = n;
	r->dio_error = -5;
}

static void every_record_comes_back(void **state)
{
	static struct e4d_record given[WRITES];
	static bool there[WRITES];
	struct e4d_trace_writer *w = create(NULL);
	const char *dirs[] = {dir};
	struct e4d_trace_write got;
	struct e4d_trace_reader *r;
	uint64_t bytes, packets, events;
	struct seen seen[4] = {0};
	char why[256];

	(void)state;
	for (int i = 0; i < WRITES; i++) {
		int late = i % 16 ? i : i + 8 < WRITES ? i + 8 : i;

		make(&given[i], (uint64_t)late * 2 + (i != late));
		assert_int_equal(e4d_trace_put(w, &given[i]), 0);
		assert_int_equal(e4d_trace_put_file(w, given[i].dev, given[i].ino, 99, "/a"), 0);
	}
	e4d_trace_set_discarded(w, 5);
	assert_int_equal(e4d_trace_put_loss(w, "ring_full", 5), 0);
	e4d_trace_written(w, &bytes, &packets, &events);
	end(w, 0);
	assert_true(see(&seen[0], "cpu0-000000") && see(&seen[1], "cpu1-000000") &&
	            see(&seen[2], "cpu2-000000") && see(&seen[3], "session-000000"));
	assert_int_equal(seen[3].ids[E4D_EV_SESSION], 1);
	assert_int_equal(seen[3].ids[E4D_EV_FILE], 3);
	assert_int_equal(seen[3].ids[E4D_EV_LOSS], 1);
	assert_int_equal(seen[3].ids[E4D_EV_END], 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(seen[i].first_seq, 0);
		assert_true(seen[i].ids[E4D_EV_INSIDE] > WRITES / 8);
	}
	assert_int_equal(e4d_trace_open(&r, dirs, 1, why, sizeof(why)), 0);
	while (e4d_trace_next(r, &got) == 1) {
		int i = (int)(got.rec->seq / 2) - (got.rec->seq % 2 ? 8 : 0);

		assert_in_range(i, 0, WRITES - 1);
		assert_false(there[i]);
		there[i] = true;
		assert_memory_equal(got.rec, &given[i], sizeof(given[i]));
		assert_string_equal(got.path, "/a");
		assert_true(got.end_ns >= got.rec->ts_ns + got.rec->latency_ns);
	}
	for (int i = 0; i < WRITES; i++)
		assert_true(there[i]);
	assert_int_equal(e4d_trace_host(r, 0)->discarded, 5);
	e4d_trace_close(r);
}

/* Later than a packet that is written: its event comes after, and what it says is exact. */
static void late_is_not_before(void **state)
{
	struct e4d_trace_writer *w = create(NULL);
	struct seen seen = {0};
	struct e4d_record rec;
	struct e4d_ev_inside e = {.head = {.timestamp = 57, .id = E4D_EV_INSIDE, .size = sizeof(e)},
	                          .latency_ns = 7,
	                          .seq_be = __builtin_bswap64(2),
	                          .version = 1};
	size_t put;

	(void)state;
	make(&rec, 3);
	rec.cpu = 0;
	assert_int_equal(e4d_trace_put(w, &rec), 0);
	assert_int_equal(e4d_trace_tick(w, UINT64_MAX / 2), 0); /* a second has gone */
	assert_int_equal(e4d_trace_put_inside(w, &e, 1, &put), 0);
	end(w, 0);
	assert_true(see(&seen, "cpu0-000000"));
	assert_int_equal(seen.packets, 2);
	assert_int_equal(seen.ids[E4D_EV_WRITE], 2);
	assert_int_equal(seen.first_time + 1, seen.last_time);
}

static void runs_are_split_by_cpu(void **state)
{
	struct e4d_trace_writer *w = create(NULL);
	static struct e4d_ev_inside e[3000];
	struct seen seen[2] = {0};
	size_t put;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++)
		e[i] = (struct e4d_ev_inside){{1000 + i, E4D_EV_INSIDE, sizeof(*e), 7},
		                              .cpu = i / 20 % 3 == 1};
	assert_int_equal(e4d_trace_put_inside(w, e, 3000, &put), 0);
	assert_int_equal(put, 3000);
	end(w, 0);
	assert_true(see(&seen[0], "cpu0-000000") && see(&seen[1], "cpu1-000000"));
	assert_int_equal(seen[0].ids[E4D_EV_INSIDE], 2000);
	assert_int_equal(seen[1].ids[E4D_EV_INSIDE], 1000);
}

static void cpus_are_bounded(void **state)
{
	struct e4d_trace_writer *w = create(NULL);
	static const uint16_t cpus[] = {0, 17, 300, 4094, 4095, 4096, 65535};
	struct seen seen = {0};
	struct e4d_record rec;

	(void)state;
	make(&rec, 2);
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		rec.cpu = cpus[i];
		assert_int_equal(e4d_trace_put(w, &rec), 0);
	}
	end(w, 0);
	assert_true(see(&seen, "cpu4095-000000"));
	assert_int_equal(seen.ids[E4D_EV_INSIDE], 3);
	assert_true(see(&(struct seen){0}, "cpu300-000000"));
	assert_false(see(&seen, "cpu4096-000000"));
}

static void put_many(struct e4d_trace_writer *w, int from, int n)
{
	struct e4d_record rec;

	for (int i = from; i < from + n; i++) {
		make(&rec, (uint64_t)i);
		assert_int_equal(e4d_trace_put(w, &rec), 0);
		if (!e4d_trace_has_file(w, rec.dev, rec.ino, rec.gen))
			assert_int_equal(e4d_trace_put_file(w, rec.dev, rec.ino, rec.gen, "/a"), 0);
	}
}

/* Each rotation is complete in itself, and the streams go on over it. */
static void rotates_by_size(void **state)
{
	const struct e4d_trace_limits limits = {.rotate_bytes = 512 << 10};
	struct e4d_trace_writer *w = create(&limits);
	struct seen cpu = {0}, session = {0};
	unsigned int n, last = 0;
	char name[32];

	(void)state;
	put_many(w, 0, WRITES);
	end(w, 0);
	for (n = 0;; n++) {
		off_t size = cpu.size;

		snprintf(name, sizeof(name), "session-%06u", n);
		if (!see(&session, name))
			break;
		assert_int_equal(session.ids[E4D_EV_SESSION], n + 1);
		assert_true(session.ids[E4D_EV_FILE] >= last + 1);
		last = session.ids[E4D_EV_FILE];
		snprintf(name, sizeof(name), "cpu1-%06u", n);
		see(&cpu, name);
		assert_in_range(cpu.size - size, 0, 512 << 10);
	}
	assert_in_range(n, 5, 9);
	assert_int_equal(cpu.ids[E4D_EV_INSIDE] + cpu.ids[E4D_EV_WRITE], (WRITES + 1) / 3);
}

static void keeps_the_newest(void **state)
{
	const struct e4d_trace_limits limits = {.rotate_ns = 1, .keep = 2, .zstd = true};
	struct e4d_trace_writer *w = create(&limits);
	struct stat st;
	char path[96];

	(void)state;
	for (int i = 0; i < 5; i++) {
		put_many(w, i * 10, 10);
		assert_int_equal(e4d_trace_tick(w, UINT64_MAX / 2 + (uint64_t)i), 0);
	}
	assert_int_equal(e4d_trace_rotation(w), 5);
	end(w, 0);
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/session-%06d.zst", dir, i);
		assert_int_equal(stat(path, &st), i < 4 ? -1 : 0);
		path[strlen(path) - 4] = 0;
		assert_int_equal(stat(path, &st), -1);
	}
}

static void stays_below_its_bound(void **state)
{
	const struct e4d_trace_limits limits = {.max_bytes = 1 << 20};
	struct e4d_trace_writer *w = create(&limits);
	struct seen session = {0};
	struct e4d_record rec;
	int err = 0;

	(void)state;
	for (uint64_t i = 0; i < WRITES && !err; i++) {
		make(&rec, i);
		err = e4d_trace_put(w, &rec);
	}
	assert_int_equal(err, E4D_TRACE_FULL);
	assert_int_equal(e4d_trace_put(w, &rec), E4D_TRACE_FULL);
	assert_int_equal(e4d_trace_put_loss(w, "ring_full", 1), 0);
	end(w, 0);
	assert_in_range(dump_bytes(), (1 << 20) * 3 / 4, 1 << 20);
	assert_true(see(&session, "session-000000"));
	assert_int_equal(session.ids[E4D_EV_END], 1);
}

static void removes_the_oldest_at_its_bound(void **state)
{
	const struct e4d_trace_limits limits = {
		.max_bytes = 1 << 20, .keep = 100, .rotate_bytes = 128 << 10};
	struct e4d_trace_writer *w = create(&limits);

	(void)state;
	for (int i = 0; i < WRITES; i += 1000) {
		put_many(w, i, 1000);
		assert_in_range(dump_bytes(), 1, 1 << 20);
	}
	end(w, 0);
	assert_in_range(dump_bytes(), (1 << 20) / 2, 1 << 20);
}

/* A limit of the file's size in the middle of a packet: the file ends before it. */
static void a_failed_write_leaves_whole_packets(void **state)
{
	struct e4d_trace_writer *w = create(NULL);
	const struct rlimit limit = {100000, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
	struct e4d_record rec;
	struct seen seen = {0};
	int err = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint64_t i = 0; i < WRITES && !err; i++) {
		make(&rec, i);
		rec.cpu = 0;
		err = e4d_trace_put(w, &rec);
	}
	setrlimit(RLIMIT_FSIZE, &none);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(e4d_trace_put(w, &rec), -EFBIG);
	end(w, -EFBIG);
	assert_true(see(&seen, "cpu0-000000"));
	assert_int_equal(seen.packets, 1);
}

static int try(const char *path, char *why, size_t len)
{
	struct e4d_trace_writer *w;
	int err = e4d_trace_create(&w, path, &info, NULL, why, len);

	e4d_trace_writer_close(w);
	return err;
}

static void overwrites_nothing(void **state)
{
	char why[256], path[96], link[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(try(dir, why, sizeof(why)), -EEXIST);
	assert_non_null(strstr(why, "not empty"));
	assert_int_equal(try(path, why, sizeof(why)), -ENOTDIR);
	unlink(path);
	assert_int_equal(symlink("/tmp", link), 0);
	assert_true(try(link, why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "symbolic link"));
	strcat(link, "/");
	assert_true(try(link, why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "symbolic link"));
	assert_int_equal(try("/nowhere/at/all", why, sizeof(why)), -ENOENT);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(every_record_comes_back),
		IN_DIR(late_is_not_before),
		IN_DIR(runs_are_split_by_cpu),
		IN_DIR(cpus_are_bounded),
		IN_DIR(rotates_by_size),
		IN_DIR(keeps_the_newest),
		IN_DIR(stays_below_its_bound),
		IN_DIR(removes_the_oldest_at_its_bound),
		IN_DIR(a_failed_write_leaves_whole_packets),
		IN_DIR(overwrites_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
