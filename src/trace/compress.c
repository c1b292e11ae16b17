/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "trace/compress.h"

struct job {
	int in, out;
	ZSTD_CCtx *ctx;
	size_t in_size, out_size;
	char *in_buf, *out_buf;
	uint64_t written;
};

static int write_all(struct job *j, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w = write(j->out, j->out_buf + done, n - done);

		if (w > 0)
			done += (size_t)w;
		else if (w == 0 || errno != EINTR)
			return w ? -errno : -ENOSPC;
	}
	j->written += n;
	return 0;
}

/* One piece of input; the last ends the frame. */
static int step(struct job *j, size_t n)
{
	const ZSTD_EndDirective how = n ? ZSTD_e_continue : ZSTD_e_end;
	ZSTD_inBuffer in = {j->in_buf, n, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {j->out_buf, j->out_size, 0};
		int err;

		left = ZSTD_compressStream2(j->ctx, &out, &in, how);
		if (ZSTD_isError(left))
			return -EIO;
		err = write_all(j, out.pos);
		if (err)
			return err;
	} while (n ? in.pos < in.size : left);
	return 0;
}

static int copy(struct job *j, const char *name, bool (*go_on)(void *, const char *), void *ctx)
{
	ssize_t n;
	int err = 0;

	do {
		n = read(j->in, j->in_buf, j->in_size);
		if (n < 0)
			err = -errno;
		else if (!go_on(ctx, name))
			err = -ECANCELED;
		else
			err = step(j, (size_t)n);
	} while (!err && n);
	if (!err && fdatasync(j->out)) /* or a crash leaves neither of the two */
		err = -errno;
	return err;
}

static int open_job(struct job *j, const struct e4d_dump *d, const char *name, const char *hidden,
                    int level)
{
	*j = (struct job){.in = -1, .out = -1};
	j->in = openat(d->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (j->in < 0)
		return -errno;
	j->ctx = ZSTD_createCCtx();
	j->in_size = ZSTD_CStreamInSize();
	j->out_size = ZSTD_CStreamOutSize();
	j->in_buf = malloc(j->in_size);
	j->out_buf = malloc(j->out_size);
	if (!j->ctx || !j->in_buf || !j->out_buf ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(j->ctx, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(j->ctx, ZSTD_c_checksumFlag, 1)))
		return -ENOMEM;
	j->out = e4d_dump_new(d, hidden);
	return j->out < 0 ? j->out : 0;
}

static void close_job(struct job *j)
{
	if (j->in >= 0)
		close(j->in);
	if (j->out >= 0)
		close(j->out);
	ZSTD_freeCCtx(j->ctx);
	free(j->in_buf);
	free(j->out_buf);
}

int e4d_compress_file(struct e4d_dump *d, const char *name, int level,
                      bool (*go_on)(void *ctx, const char *name), void *ctx)
{
	char hidden[E4D_TRACE_NAME], final[E4D_TRACE_NAME];
	struct job j;
	int err;

	snprintf(hidden, sizeof(hidden), ".%s.zst", name);
	snprintf(final, sizeof(final), "%s.zst", name);
	err = open_job(&j, d, name, hidden, level);
	if (!err)
		err = copy(&j, name, go_on, ctx);
	if (!err && renameat(d->dir, hidden, d->dir, final))
		err = -errno;
	if (!err) {
		e4d_dump_count(d, j.written);
		e4d_dump_remove(d, name);
	} else if (j.out >= 0) {
		unlinkat(d->dir, hidden, 0);
	}
	close_job(&j);
	return err;
}
