/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The one place that writes messages to stderr. A message says what went wrong
 * and ends with the remedy: "cannot attach: ...; run as root, or see doctor".
 */
#ifndef E4D_LOG_H
#define E4D_LOG_H

enum e4d_log_level {
	E4D_LOG_SILENT = 0,
	E4D_LOG_ERR = 1,
	E4D_LOG_WARN = 2, /* --quiet stops here */
	E4D_LOG_INFO = 3, /* default */
};

/* Sets the highest level that is still printed. */
void e4d_log_set_level(enum e4d_log_level level);

/*
 * Prints one line "ext4diotop: MESSAGE" with a single write(2). Control bytes
 * and invalid UTF-8 in the message are shown as \xNN. errno is kept.
 */
void e4d_log(enum e4d_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define e4d_err(...)  e4d_log(E4D_LOG_ERR, __VA_ARGS__)
#define e4d_warn(...) e4d_log(E4D_LOG_WARN, __VA_ARGS__)
#define e4d_info(...) e4d_log(E4D_LOG_INFO, __VA_ARGS__)

#endif
