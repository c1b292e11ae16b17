/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/plural.h"
#include "validate/expect.h"

/* Off this is off a block boundary for every block size that can leak: above 512. */
#define SMALLEST_BLOCK 1024

int e4d_vexpect_parse(const char *word, enum e4d_vexpect *out)
{
	if (!strcmp(word, "broken"))
		*out = E4D_V_EXPECT_BROKEN;
	else if (!strcmp(word, "fixed"))
		*out = E4D_V_EXPECT_FIXED;
	else
		return -EINVAL;
	return 0;
}

bool e4d_vcase_leaks(const struct e4d_vcase *c)
{
	const struct wl_case *w = &c->w;
	uint64_t isize = w->size ? w->size : w->written;
	/* a writer that is killed gets no page that it waits for: to the kernel the same fault */
	bool fault = (w->flags & WL_FAULT) || w->held == WL_HELD_KILL || w->run == wl_run_held_vvar;

	return fault && (w->offset + w->readable) % SMALLEST_BLOCK && w->offset + w->len > isize;
}

bool e4d_vresult_leaked(const struct e4d_vresult *r)
{
	bool moved = r->res.ret <= 0 && r->isize_after > r->res.isize_before;

	return r->kernel == E4D_V_FAIL && (r->truth.past_eof || moved);
}

struct tally {
	unsigned int ran, leaked; /* of the leaking kind */
	unsigned int other;       /* failed in another way, or of another kind */
};

static void count(struct tally *t, const struct e4d_vresult *r)
{
	bool kind = e4d_vcase_leaks(r->c), leaked = kind && e4d_vresult_leaked(r);

	t->ran += kind && r->kernel != E4D_V_SKIP;
	t->leaked += leaked;
	t->other += r->kernel == E4D_V_FAIL && !leaked;
}

static enum e4d_exit exit_broken(const struct e4d_vrun *r, const struct tally *t, char *why,
                                 size_t len)
{
	if (!t->leaked && r->not_run) {
		snprintf(why, len,
		         "expected broken: none of %u case%s of the leaking kind failed as on a "
		         "kernel that leaks, but %u %s not run",
		         t->ran, e4d_s(t->ran), r->not_run, r->not_run == 1 ? "was" : "were");
		return E4D_EXIT_BLIND;
	}
	if (!t->leaked) {
		snprintf(why, len,
		         "expected broken: none of %u case%s of the leaking kind failed as on a "
		         "kernel that leaks; %u failed otherwise",
		         t->ran, e4d_s(t->ran), t->other);
		return E4D_EXIT_FINDING;
	}
	snprintf(why, len,
	         "broken as expected: %u of %u case%s of the leaking kind; "
	         "%u failed otherwise",
	         t->leaked, t->ran, e4d_s(t->ran), t->other);
	return E4D_EXIT_CLEAN;
}

static enum e4d_exit exit_fixed(const struct e4d_vrun *r, const struct tally *t, char *why,
                                size_t len)
{
	if (r->failed) {
		snprintf(why, len, "expected fixed: %u case%s failed, %u as on a kernel that leaks",
		         r->failed, e4d_s(r->failed), t->leaked);
		return E4D_EXIT_FINDING;
	}
	if (r->not_run) {
		snprintf(why, len, "expected fixed: no case failed, but %u were not run",
		         r->not_run);
		return E4D_EXIT_BLIND;
	}
	snprintf(why, len, "fixed as expected: all of %u case%s pass, %u of the leaking kind",
	         r->passed, e4d_s(r->passed), t->ran);
	return E4D_EXIT_CLEAN;
}

enum e4d_exit e4d_vexpect_exit(const struct e4d_vrun *r, enum e4d_vexpect e, char *why, size_t len)
{
	struct tally t = {0};
	enum e4d_exit code;

	for (size_t i = 0; i < r->count; i++)
		count(&t, &r->results[i]);
	if (e == E4D_V_EXPECT_FIXED && r->failed)
		return exit_fixed(r, &t, why, len);
	if (!t.ran) {
		snprintf(why, len,
		         "expected %s: no case of the leaking kind ran, so nothing can be said; "
		         "run them all",
		         e == E4D_V_EXPECT_BROKEN ? "broken" : "fixed");
		return E4D_EXIT_NOTHING;
	}
	code = e == E4D_V_EXPECT_BROKEN ? exit_broken(r, &t, why, len)
	                                : exit_fixed(r, &t, why, len);
	if (code == E4D_EXIT_CLEAN && (r->blind || r->disagree || r->tracer.lost)) {
		size_t at = strlen(why);

		snprintf(why + at, len - at,
		         "; but the tracer was blind or disagreed with the disk");
		return E4D_EXIT_BLIND;
	}
	return code;
}
