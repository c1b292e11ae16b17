/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Memory images. An ELF vmcore and a raw image hold the pages as they were, so that a
 * file is enough; a compressed kdump is unpacked by libkdumpfile, where it was built in.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/input.h"

#define FLAT_HEADER 4096

static bool begins(int fd, const char *magic, size_t n)
{
	char got[16];

	return pread(fd, got, n, 0) == (ssize_t)n && !memcmp(got, magic, n);
}

static bool is_flat(int fd)
{
	return begins(fd, "makedumpfile\0\0\0\0", 16);
}

bool e4d_image_is_one(int fd)
{
	return begins(fd, "KDUMP   ", 8) || begins(fd, "DISKDUMP", 8) || is_flat(fd);
}

#ifdef E4D_KDUMPFILE
#include <endian.h>
#include <libkdumpfile/kdumpfile.h>

struct e4d_image {
	kdump_ctx_t *ctx;
	kdump_bmp_t *pages; /* that the dump has */
	uint64_t page_size;
};

/* n bytes from in->at on to tmp at offset. 0 or negative errno. */
static int copy(struct e4d_input *in, int tmp, uint64_t offset, uint64_t n)
{
	while (n) {
		size_t most = n < E4D_PACKET_MAX ? (size_t)n : E4D_PACKET_MAX;
		ssize_t got = e4d_input_bytes(in, in->buf, most);

		if (got <= 0)
			return got ? (int)got : -EBADMSG;
		if (pwrite(tmp, in->buf, (size_t)got, (off_t)offset) != got)
			return errno ? -errno : -ENOSPC;
		offset += (uint64_t)got;
		n -= (uint64_t)got;
		if (in->progress)
			in->progress(in);
	}
	return 0;
}

/*
 * makedumpfile's flattened form, which QEMU writes: 4096 bytes of header, then pieces,
 * each after its offset and size in big endian; -1 ends it. What is cut off stays zero.
 */
static int unflatten(struct e4d_input *in, int tmp)
{
	uint64_t piece[2];
	int err = 0;

	errno = 0;
	in->at = FLAT_HEADER;
	while (!err && e4d_input_bytes(in, (uint8_t *)piece, sizeof(piece)) == sizeof(piece)) {
		uint64_t offset = be64toh(piece[0]), n = be64toh(piece[1]);

		if (offset > INT64_MAX || n > in->size || offset > INT64_MAX - n)
			break;
		err = copy(in, tmp, offset, n);
	}
	return err == -EBADMSG ? 0 : err;
}

/* One page for each call; those that the dump has not, or that are damaged, are passed. */
static ssize_t read_page(struct e4d_input *in, uint8_t *dst, size_t cap)
{
	struct e4d_image *im = in->image;
	kdump_addr_t page = in->at / im->page_size;

	while (cap >= im->page_size && kdump_bmp_find_set(im->pages, &page) == KDUMP_OK) {
		kdump_addr_t addr = page++ * im->page_size;
		size_t n = im->page_size;
		kdump_status st = kdump_read(im->ctx, KDUMP_MACHPHYSADDR, addr, dst, &n);

		in->at = addr + im->page_size;
		if (st == KDUMP_OK)
			return (ssize_t)n;
		if (st == KDUMP_ERR_SYSTEM && errno == ENOMEM)
			return -ENOMEM;
		if (in->progress)
			in->progress(in);
	}
	return 0;
}

static int begin(struct e4d_image *im, int fd, uint64_t *size)
{
	kdump_num_t pages;
	kdump_attr_t attr;

	if (kdump_open_fd(im->ctx, fd) != KDUMP_OK ||
	    kdump_get_number_attr(im->ctx, "max_pfn", &pages) != KDUMP_OK ||
	    kdump_get_number_attr(im->ctx, KDUMP_ATTR_PAGE_SIZE, &im->page_size) != KDUMP_OK ||
	    kdump_get_attr(im->ctx, KDUMP_ATTR_FILE_PAGEMAP, &attr) != KDUMP_OK)
		return -EBADMSG;
	im->pages = attr.val.bitmap;
	kdump_bmp_incref(im->pages);
	if (im->page_size < 4096 || im->page_size > E4D_PACKET_MAX / 2 ||
	    pages > UINT64_MAX / im->page_size)
		return -ERANGE;
	*size = pages * im->page_size;
	return 0;
}

int e4d_image_open(struct e4d_input *in, int tmp, char *why, size_t why_len)
{
	struct e4d_image *im = calloc(1, sizeof(*im));
	bool flat = is_flat(in->fd);
	int err = 0;

	in->image = im;
	if (im)
		im->ctx = kdump_new();
	if (!im || !im->ctx)
		return -ENOMEM;
	if (flat)
		err = unflatten(in, tmp);
	if (err) {
		snprintf(why, why_len, "unpacked into the output directory: %s", strerror(-err));
		return err;
	}
	err = begin(im, flat ? tmp : in->fd, &in->size);
	if (err)
		snprintf(why, why_len, "libkdumpfile: %s",
		         err == -ERANGE ? "page size" : kdump_get_err(im->ctx));
	in->read = read_page;
	in->at = 0;
	return err;
}

void e4d_image_close(struct e4d_image *im)
{
	if (im && im->pages)
		kdump_bmp_decref(im->pages);
	if (im && im->ctx)
		kdump_free(im->ctx);
	free(im);
}
#else
int e4d_image_open(struct e4d_input *in, int tmp, char *why, size_t why_len)
{
	snprintf(why, why_len,
	         "a compressed kdump, and this program was built without libkdumpfile: build it "
	         "with libkdumpfile-dev, or convert the dump (makedumpfile -d 0 -E)");
	return -EOPNOTSUPP;
}

void e4d_image_close(struct e4d_image *im)
{
}
#endif
