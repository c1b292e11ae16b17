/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/escape.h"
#include "util/log.h"

static enum e4d_log_level log_level = E4D_LOG_INFO;

void e4d_log_set_level(enum e4d_log_level level)
{
	log_level = level;
}

void e4d_log(enum e4d_log_level level, const char *fmt, ...)
{
	static const char prefix[] = "ext4diotop: ";
	char raw[2048], line[sizeof(prefix) + 4 * sizeof(raw) + 1];
	int saved = errno;
	size_t len;
	va_list ap;

	if (level > log_level)
		return;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	len = strlen(raw);
	if (len && raw[len - 1] == '\n')
		len--;
	memcpy(line, prefix, sizeof(prefix) - 1);
	len = sizeof(prefix) - 1 +
	      e4d_escape_line(line + sizeof(prefix) - 1, sizeof(line) - sizeof(prefix), raw, len);
	line[len++] = '\n';
	while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
		;
	errno = saved;
}
