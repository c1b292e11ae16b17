/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The first inputs of both targets:   seeds DIR_FOR_READER DIR_FOR_SALVAGE */
#include <zstd.h>
#include "../unit/traces.h"
#include "flight.h"

static struct test_packet p;
static uint8_t out[64 << 10];
static size_t len;

static void add(const void *data, size_t n)
{
	memcpy(out + len, data, n);
	len += n;
}

static void add_zstd(const void *data, size_t n)
{
	len += ZSTD_compress(out + len, sizeof(out) - len, data, n, 3);
}

static size_t session(void)
{
	struct e4d_ev_session s = {.real_minus_boot_ns = 1700000000000000000, .major = 1};
	struct e4d_ev_counters c = {.writes = 5};
	char text[40] = {12};

	strcpy(s.host, "host");
	packet_begin(&p, 1, E4D_STREAM_SESSION, 0);
	packet_event(&p, 900, E4D_EV_SESSION, &s.real_minus_boot_ns, sizeof(s) - 16);
	strcpy(text + 16, "/mnt/file");
	packet_event(&p, 901, E4D_EV_FILE, text, 26);
	packet_event(&p, 902, E4D_EV_LOSS, "8 bytes.ring", 13);
	packet_event(&p, 903, E4D_EV_MARK, "mark", 5);
	packet_event(&p, 904, E4D_EV_COUNTERS, &c.writes, sizeof(c) - 16);
	packet_event(&p, 905, E4D_EV_END, NULL, 0);
	return packet_seal(&p);
}

static size_t cpu(unsigned int n, uint64_t seq)
{
	struct e4d_record r = {.ts_ns = 1, .verdict = E4D_LEAK, .version = 1, .blkbits = 12};

	packet_begin(&p, 1, n, seq);
	for (uint64_t i = 0; i < 3; i++)
		put_inside(&p, n, 10 * seq + i);
	packet_event(&p, 1100 + 100 * seq, E4D_EV_WRITE, &r, sizeof(r));
	packet_event(&p, 1100 + 100 * seq, 99, "new", 4);
	return packet_seal(&p);
}

static void page(void)
{
	static struct e4d_flight_page f;

	memset(&f, 0, sizeof(f));
	f.head.magic = E4D_PACKET_MAGIC;
	f.head.packet_size = 8 * E4D_FLIGHT_PAGE;
	f.head.stream_instance_id = 1;
	f.magic = E4D_FLIGHT_MAGIC;
	f.major = E4D_FLIGHT_MAJOR;
	f.rows = f.pages = 4;
	f.state = 3 << 8 | E4D_FLIGHT_SLOTS;
	packet_begin(&p, 1, 1, 0);
	for (uint32_t i = 0; i < 5; i++) {
		struct e4d_event *e = (void *)(p.bytes + p.len);

		put_inside(&p, 1, i * 3 % 5);
		e->reserved = e4d_flight_mark(3, i);
		memcpy(f.slot[i], e, sizeof(f.slot[i]));
	}
	add(&f, sizeof(f));
}

static void save(const char *dir, const char *name)
{
	put_file(dir, name, out, len);
	len = 0;
}

static void for_reader(const char *dir, const char *name, uint8_t form)
{
	size_t at[3];

	len = 4;
	if (form & 1)
		add_zstd(p.bytes, session());
	else
		add(p.bytes, session());
	len = 4 + (len - 4 + 1023) / 1024 * 1024;
	at[0] = len;
	if (form & 2)
		add_zstd(p.bytes, cpu(0, 0));
	else
		add(p.bytes, cpu(0, 0));
	len = 4 + (len - 4 + 1023) / 1024 * 1024;
	at[1] = len;
	if (form & 4)
		add_zstd(p.bytes, cpu(form >> 3 & 1, 1));
	else
		add(p.bytes, cpu(form >> 3 & 1, 1));
	out[0] = form;
	out[1] = (uint8_t)((at[0] - 4) / 1024);
	out[2] = (uint8_t)((at[1] - at[0]) / 1024);
	out[3] = 0;
	save(dir, name);
}

int main(int argc, char **argv)
{
	const uint8_t zero = 0, one = 1;

	if (argc != 3)
		return 2;
	for_reader(argv[1], "plain", 0);
	for_reader(argv[1], "two-cpus", 8);
	for_reader(argv[1], "zstd", 15);
	add(&zero, 1);
	add(p.bytes, session());
	add(p.bytes, cpu(0, 0));
	add(p.bytes, cpu(0, 2));
	add(p.bytes, cpu(0, 2));
	save(argv[2], "plain");
	add(&one, 1);
	add_zstd(p.bytes, session());
	add_zstd(p.bytes, cpu(0, 0));
	save(argv[2], "zstd");
	add(&zero, 1);
	page();
	add(p.bytes, session());
	page();
	save(argv[2], "pages");
	return 0;
}
