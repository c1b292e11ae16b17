/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Salvage: whatever the file is, what comes out is a dump without a flaw. */
#include <dirent.h>
#include "fuzz.h"
#include "trace/salvage.h"

/* All in a directory, and it; true: it was there. */
static void clear(const char *dir)
{
	const struct dirent *e;
	DIR *d = opendir(dir);
	char path[1024];

	MUST(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path))
			clear(path);
	}
	closedir(d);
	rmdir(dir);
}

/* The dump of a trace has what salvage says, and no more. */
static void check(const struct e4d_salvage_stream *s, size_t n)
{
	const char *dir = s->trace->dir;
	const struct e4d_trace_host *h;
	struct e4d_trace_reader *r;
	uint64_t packets = 0;
	char why[256];

	for (size_t i = 0; i < n && s[i].trace == s->trace; i++)
		packets += s[i].packets;
	if (!packets)
		return;
	MUST(!e4d_trace_open(&r, &dir, 1, why, sizeof(why)));
	fuzz_read(r, true);
	h = e4d_trace_host(r, 0);
	MUST(!h->bad_packets && !h->bad_bytes && h->packets == packets);
	e4d_trace_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct e4d_salvage_stream *streams;
	const char *name = "in";
	struct e4d_salvage *s;
	char in[96], out[96], why[1024];
	size_t n;

	fuzz_init();
	if (!size)
		return 0;
	if (data[0] & 1)
		name = "in.zst";
	fuzz_file(name, data + 1, size - 1);
	snprintf(in, sizeof(in), "%s/%s", fuzz_dir, name);
	snprintf(out, sizeof(out), "%s/out", fuzz_dir);
	MUST(!e4d_salvage_open(&s, out, NULL, NULL, why, sizeof(why)));
	if (!e4d_salvage_scan(s, in, why, sizeof(why))) {
		MUST(!e4d_salvage_write(s, why, sizeof(why)));
		streams = e4d_salvage_streams(s, &n);
		for (size_t i = 0; i < n; i++)
			if (!i || streams[i].trace != streams[i - 1].trace)
				check(streams + i, n - i);
	}
	e4d_salvage_close(s);
	clear(out);
	fuzz_remove(name);
	return 0;
}
