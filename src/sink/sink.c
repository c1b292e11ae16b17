/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sink/sink.h"

static const struct e4d_sink_ops *const sinks[] = {
	&e4d_sink_text,
	&e4d_sink_json,
	&e4d_sink_csv,
};

int e4d_sink_open(const char *name, int fd, const struct e4d_clock *clock, struct e4d_sink **out)
{
	struct e4d_sink *sink;

	for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
		if (strcmp(sinks[i]->name, name))
			continue;
		sink = calloc(1, sizeof(*sink) + sinks[i]->own_size);
		if (!sink)
			return -ENOMEM;
		sink->own = sink + 1;
		sink->ops = sinks[i];
		sink->fd = fd;
		sink->own_clock = *clock;
		sink->clock = &sink->own_clock;
		*out = sink;
		return 0;
	}
	return -ENOENT;
}

int e4d_sink_flush(struct e4d_sink *sink)
{
	if (!sink->err)
		sink->err = e4d_ob_flush(&sink->out, sink->fd);
	return sink->err;
}

static int flush_if_full(struct e4d_sink *sink)
{
	return sink->out.len >= E4D_SINK_BYTES || sink->out.err ? e4d_sink_flush(sink) : 0;
}

int e4d_sink_begin(struct e4d_sink *sink)
{
	if (!sink->err && sink->ops->begin)
		sink->ops->begin(sink);
	return e4d_sink_flush(sink);
}

int e4d_sink_write(struct e4d_sink *sink, const struct e4d_record *rec, const char *path)
{
	if (sink->err)
		return sink->err;
	sink->ops->write(sink, rec, path);
	return flush_if_full(sink);
}

int e4d_sink_loss(struct e4d_sink *sink, const char *name, __u64 count)
{
	if (sink->err || !sink->ops->loss)
		return sink->err;
	sink->ops->loss(sink, name, count);
	return flush_if_full(sink);
}

int e4d_sink_end(struct e4d_sink *sink)
{
	if (!sink->err && sink->ops->end)
		sink->ops->end(sink);
	return e4d_sink_flush(sink);
}

void e4d_sink_close(struct e4d_sink *sink)
{
	if (!sink)
		return;
	e4d_ob_free(&sink->out);
	free(sink);
}
