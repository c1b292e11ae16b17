/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the two targets share: files in memory, and a mutator that mends checksums. */
#ifndef E4D_FUZZ_H
#define E4D_FUZZ_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "trace/reader.h"
#include "util/crc32c.h"
#include "util/log.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static char fuzz_dir[64];

static void fuzz_end(void)
{
	rmdir(fuzz_dir);
}

static void fuzz_init(void)
{
	if (fuzz_dir[0])
		return;
	snprintf(fuzz_dir, sizeof(fuzz_dir), "/dev/shm/e4d-fuzz.XXXXXX");
	MUST(mkdtemp(fuzz_dir));
	atexit(fuzz_end);
	e4d_log_set_level(E4D_LOG_SILENT);
}

static void fuzz_file(const char *name, const uint8_t *data, size_t n)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", fuzz_dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
}

static void fuzz_remove(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", fuzz_dir, name);
	unlink(path);
}

/* The CRC keeps every mutation out: mend it, and mostly the end's magic too. */
static void fuzz_seal(uint8_t *data, size_t size, unsigned int seed)
{
	static const uint32_t magic = E4D_PACKET_MAGIC;
	uint8_t *next = data;

	while ((next = memmem(next, size - (size_t)(next - data), &magic, sizeof(magic)))) {
		size_t at = (size_t)(next++ - data);
		struct e4d_packet head;
		struct e4d_packet_end end;
		uint64_t n;

		if (size - at < E4D_PACKET_ALIGN)
			break;
		memcpy(&head, data + at, sizeof(head));
		n = head.packet_size / 8;
		if (n < E4D_PACKET_ALIGN || n > size - at)
			continue;
		memcpy(&end, data + at + n - sizeof(end), sizeof(end));
		if (seed++ % 16) {
			end.magic = E4D_PACKET_END_MAGIC;
			end.major = E4D_TRACE_MAJOR;
			memcpy(data + at + n - sizeof(end), &end, sizeof(end));
		}
		end.crc = e4d_crc32c(0, data + at, n - sizeof(end.crc));
		memcpy(data + at + n - sizeof(end.crc), &end.crc, sizeof(end.crc));
		next = data + at + n;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max);
	if (seed % 8)
		fuzz_seal(data, size, seed);
	return size;
}

static uint64_t fuzz_sum; /* so that what is handed out is really read */

/* Reads all, and holds the reader to its word; the number of writes. */
static uint64_t fuzz_read(struct e4d_trace_reader *r, bool one_host)
{
	struct e4d_trace_write w;
	uint64_t n = 0, last = 0;

	while (e4d_trace_next(r, &w) > 0) {
		for (size_t i = 0; i < sizeof(*w.rec); i++)
			fuzz_sum += ((const uint8_t *)w.rec)[i];
		if (w.path)
			fuzz_sum += strlen(w.path);
		MUST(w.host < e4d_trace_hosts(r));
		MUST(!one_host || w.end_ns >= last);
		MUST(w.rec->verdict < E4D_VERDICT_COUNT && w.rec->tier < E4D_TIER_COUNT &&
		     w.rec->evidence < E4D_EVIDENCE_COUNT && !w.rec->comm[15]);
		last = w.end_ns;
		n++;
	}
	return n;
}

#endif
