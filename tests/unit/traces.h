/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Trace files made by hand from include/trace.h alone, CRC included: what the writer
 * does wrong must not look right here.
 */
#ifndef E4D_TEST_TRACES_H
#define E4D_TEST_TRACES_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "trace.h"

/* RFC 3720 by its definition, a bit at a time. */
static uint32_t slow_crc32c(const void *buf, size_t n)
{
	const uint8_t *p = buf;
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

struct test_packet {
	union {
		struct e4d_packet head;
		uint8_t bytes[E4D_PACKET_MAX];
	};
	size_t len;
	uint32_t events;
	uint16_t major, minor;
};

static inline void packet_begin(struct test_packet *p, uint8_t trace, uint64_t stream, uint64_t seq)
{
	memset(p, 0, sizeof(*p));
	p->head.magic = 0xc1fc1fc1;
	memset(p->head.uuid, trace, 16);
	p->head.stream_instance_id = stream;
	p->head.packet_seq_num = seq;
	p->len = 80;
	p->major = 1;
}

/* An event of id with n bytes after its header, padded to 8. */
static inline void *packet_event(struct test_packet *p, uint64_t ts, uint16_t id, const void *data,
                                 size_t n)
{
	struct e4d_event *e = (void *)(p->bytes + p->len);

	e->timestamp = ts;
	e->id = id;
	e->size = (uint16_t)((16 + n + 7) / 8 * 8);
	if (data)
		memcpy(e + 1, data, n);
	if (!p->events++)
		p->head.timestamp_begin = ts;
	p->head.timestamp_end = ts;
	p->len += e->size;
	return e;
}

/* Sizes, the end, and the CRC: the packet's bytes. */
static inline size_t packet_seal(struct test_packet *p)
{
	size_t size = (p->len + 16 + 4095) / 4096 * 4096;
	struct e4d_packet_end *end = (void *)(p->bytes + size - 16);

	p->head.content_size = p->len * 8;
	p->head.packet_size = size * 8;
	end->magic = 0x44344543;
	end->major = p->major;
	end->minor = p->minor;
	end->events = p->events;
	end->crc = slow_crc32c(p->bytes, size - 4);
	return size;
}

static inline void put_file(const char *dir, const char *name, const void *data, size_t n)
{
	char path[256];
	int fd;

	mkdir(dir, 0700);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	close(fd);
}

static inline void remove_dir(const char *dir)
{
	char cmd[300];
	int rc;

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	rc = system(cmd);
	(void)rc;
}

/* The inside write number i of a CPU: everything follows from the two. */
static inline void put_inside(struct test_packet *p, unsigned int cpu, uint64_t i)
{
	struct e4d_ev_inside e = {
		.seq_be = __builtin_bswap64(i * 100 + cpu),
		.offset_be = __builtin_bswap64(i * 4096),
		.latency_ns = (uint32_t)(10 + i),
		.submitted = 4096,
		.mapped = 8192,
		.ino = (uint32_t)(12 + i % 3),
		.isize = 1u << 30,
		.dev = 8,
		.gen = 7,
		.pid = 100,
		.tid = 101,
		.flags = E4D_F_SYNC,
		.cpu = (uint16_t)cpu,
		.extents = 2,
		.blkbits = 12,
		.tier = E4D_TIER_FENTRY,
		.version = 1,
		.comm = "fio",
	};

	packet_event(p, 1000 + i * 10 + cpu, E4D_EV_INSIDE, &e.comm, sizeof(e) - 16);
}

#endif
