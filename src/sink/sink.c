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
		sink = calloc(1, sizeof(*sink));
		if (!sink)
			return -ENOMEM;
		sink->ops = sinks[i];
		sink->fd = fd;
		sink->clock = *clock;
		*out = sink;
		return 0;
	}
	return -ENOENT;
}

static int flush(struct e4d_sink *sink)
{
	sink->err = e4d_ob_flush(&sink->out, sink->fd);
	return sink->err;
}

int e4d_sink_begin(struct e4d_sink *sink)
{
	if (sink->err || !sink->ops->begin)
		return sink->err;
	sink->ops->begin(sink);
	return flush(sink);
}

int e4d_sink_write(struct e4d_sink *sink, const struct e4d_record *rec, const char *path)
{
	if (sink->err)
		return sink->err;
	sink->ops->write(sink, rec, path);
	return flush(sink);
}

int e4d_sink_loss(struct e4d_sink *sink, const char *name, __u64 count)
{
	if (sink->err || !sink->ops->loss)
		return sink->err;
	sink->ops->loss(sink, name, count);
	return flush(sink);
}

int e4d_sink_end(struct e4d_sink *sink)
{
	if (sink->err || !sink->ops->end)
		return sink->err;
	sink->ops->end(sink);
	return flush(sink);
}

void e4d_sink_close(struct e4d_sink *sink)
{
	if (!sink)
		return;
	e4d_ob_free(&sink->out);
	free(sink);
}
