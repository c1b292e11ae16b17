/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The reader: four bytes choose the forms, and how much of the rest is the session's
 * file, a CPU's, and one of a later rotation or another CPU.
 */
#include "fuzz.h"

static void on_loss(void *ctx, unsigned int host, const char *name, uint64_t n)
{
	fuzz_sum += host + n + strlen(name);
}

static void on_mark(void *ctx, unsigned int host, uint64_t ns, const char *text)
{
	fuzz_sum += host + ns + strlen(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[][2] = {
		{"session-000000", "session-000000.zst"},
		{"cpu0-000000", "cpu0-000000.zst"},
		{"cpu0-000001", "cpu0-000001.zst"},
		{"cpu1-000000", "cpu1-000000.zst"},
	};
	const char *dir = fuzz_dir, *used[3];
	struct e4d_trace_reader *r;
	uint64_t first, last, n;
	char why[256];
	size_t part[3];

	fuzz_init();
	if (size < 4)
		return 0;
	part[0] = (size_t)data[1] * 1024;
	part[1] = (size_t)data[2] * 1024;
	used[0] = names[0][data[0] & 1];
	used[1] = names[1][data[0] >> 1 & 1];
	used[2] = names[2 + (data[0] >> 3 & 1)][data[0] >> 2 & 1];
	part[0] = part[0] < size - 4 ? part[0] : size - 4;
	part[1] = part[1] < size - 4 - part[0] ? part[1] : size - 4 - part[0];
	part[2] = size - 4 - part[0] - part[1];
	data += 4;
	for (int i = 0; i < 3; data += part[i++])
		fuzz_file(used[i], data, part[i]);
	if (!e4d_trace_open(&r, &dir, 1, why, sizeof(why))) {
		n = fuzz_read(r, true);
		e4d_trace_losses(r, on_loss, NULL);
		e4d_trace_marks(r, on_mark, NULL);
		e4d_trace_span(r, &first, &last);
		MUST(first <= last);
		MUST(!e4d_trace_seek(r, first + (last - first) / 2));
		MUST(fuzz_read(r, true) <= n);
		MUST(!e4d_trace_seek(r, 0));
		MUST(fuzz_read(r, true) == n);
		fuzz_sum +=
			strlen(e4d_trace_host(r, 0)->host) + strlen(e4d_trace_host(r, 0)->options);
		e4d_trace_close(r);
	}
	for (int i = 0; i < 3; i++)
		fuzz_remove(used[i]);
	return 0;
}
