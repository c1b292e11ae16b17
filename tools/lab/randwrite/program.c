/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

enum key_id {
	K_VIA,
	K_OFF,
	K_SIZE,
	K_LEN,
	K_FAIL,
	K_MEM,
	K_IOV,
	K_VVAR,
	K_ODD,
	K_COUNT,
	K_FLAGS,
	K_FSIZE,
	K_SIGNAL,
	K_LEAVE,
	K_KEYS,
};

enum key_type { T_POS, T_SIZE, T_VIA, T_FLAGS };

/* In the order in which they are printed. */
static const struct key {
	const char *name;
	enum key_type type;
	size_t at;
	uint64_t dflt; /* not printed then */
	uint64_t min;
	uint64_t max;
	const char *help;
} keys[K_KEYS] = {
	[K_VIA] = {"via", T_VIA, offsetof(struct rw_step, via), RW_NONE, 0, 0, "how (see below)"},
	[K_OFF] = {"off", T_POS, offsetof(struct rw_step, off), RW_NONE, 0, 0, "file offset"},
	[K_SIZE] = {"size", T_POS, offsetof(struct rw_step, off), RW_NONE, 0, 0, "new size"},
	[K_LEN] = {"len", T_SIZE, offsetof(struct rw_step, len), RW_NONE, 1, RW_BYTES_MAX, "bytes"},
	[K_FAIL] = {"fail", T_SIZE, offsetof(struct rw_step, fail), RW_NONE, 0, RW_BYTES_MAX,
                    "the buffer cannot be read after so many bytes"},
	[K_MEM] = {"mem", T_SIZE, offsetof(struct rw_step, mem), 0, 0, RW_PAGE - 1,
                   "bytes that the buffer is off a page"},
	[K_IOV] = {"iov", T_SIZE, offsetof(struct rw_step, iov), 1, 1, RW_IOV_MAX,
                   "number of iovecs"},
	[K_VVAR] = {"vvar", T_SIZE, offsetof(struct rw_step, vvar), 0, 0, 1,
                    "1: the middle iovec is the [vvar] page"},
	[K_ODD] = {"odd", T_SIZE, offsetof(struct rw_step, odd), 0, 0, 1,
                   "1: the last iovec is at an odd address"},
	[K_COUNT] = {"count", T_SIZE, offsetof(struct rw_step, count), 1, 1, RW_COUNT_MAX,
                     "writes submitted at once"},
	[K_FLAGS] = {"flags", T_FLAGS, offsetof(struct rw_step, flags), 0, 0, 0,
                     "of dsync,sync,nowait,append"},
	[K_FSIZE] = {"fsize", T_SIZE, offsetof(struct rw_step, fsize), RW_NONE, 0, 1ULL << 40,
                     "RLIMIT_FSIZE for this step"},
	[K_SIGNAL] = {"signal", T_SIZE, offsetof(struct rw_step, signal), RW_NONE, 1, RW_SIGNAL_MAX,
                      "the writer gets SIGKILL after so many microseconds"},
	[K_LEAVE] = {"leave", T_SIZE, offsetof(struct rw_step, leave), RW_NONE, 0, 1ULL << 40,
                     "bytes left free"},
};

#define BIT(k)  (1u << (k))
#define RANGE   (BIT(K_OFF) | BIT(K_LEN))
#define BUFFERS (BIT(K_FAIL) | BIT(K_MEM) | BIT(K_IOV) | BIT(K_VVAR) | BIT(K_ODD))
#define CALL    (BIT(K_COUNT) | BIT(K_FLAGS) | BIT(K_FSIZE) | BIT(K_SIGNAL))

static const struct verb {
	const char *name;
	unsigned int must;
	unsigned int may;
	const char *help;
} verbs[RW_VERBS] = {
	[RW_WRITE] = {"write", BIT(K_VIA) | RANGE, BUFFERS | CALL, "direct write"},
	[RW_FALLOC] = {"falloc", RANGE, 0, "fallocate KEEP_SIZE"},
	[RW_PUNCH] = {"punch", RANGE, 0, "fallocate PUNCH_HOLE"},
	[RW_COLLAPSE] = {"collapse", RANGE, 0, "fallocate COLLAPSE_RANGE"},
	[RW_TRUNCATE] = {"truncate", BIT(K_SIZE), 0, "up or down"},
	[RW_BUFFERED] = {"buffered", RANGE, 0, "write through the page cache"},
	[RW_MMAP] = {"mmap", RANGE, 0, "dirty pages of a shared mapping, inside EOF"},
	[RW_FSYNC] = {"fsync", 0, 0, ""},
	[RW_READ] = {"read", RANGE, 0, "direct read"},
	[RW_FILL] = {"fill", BIT(K_LEAVE), 0, "a second file takes the free space"},
	[RW_UNFILL] = {"unfill", 0, 0, "and gives it back"},
};

const struct rw_via_row rw_vias[RW_VIAS] = {
	[RW_PWRITE] = {"pwrite", false, false, false},
	[RW_PWRITEV] = {"pwritev", false, true, false},
	[RW_PWRITEV2] = {"pwritev2", false, true, true},
	[RW_AIO] = {"aio", true, true, true},
	[RW_URING] = {"uring", true, true, true},
	[RW_URING_FIXED] = {"uring-fixed", true, false, true},
	[RW_URING_LINKED] = {"uring-linked", true, true, true},
};

static const struct {
	const char *name;
	unsigned int bit;
} flag_names[] = {
	{"dsync", RW_DSYNC},
	{"sync", RW_SYNC},
	{"nowait", RW_NOWAIT},
	{"append", RW_APPEND},
};

#define FLAG_NAMES (sizeof(flag_names) / sizeof(flag_names[0]))

static uint64_t *value_at(struct rw_step *step, enum key_id k)
{
	return (uint64_t *)((char *)step + keys[k].at);
}

struct rw_step rw_step_new(enum rw_verb verb)
{
	struct rw_step step = {.verb = verb};

	for (int k = 0; k < K_KEYS; k++)
		if (keys[k].type != T_POS)
			*value_at(&step, k) = keys[k].dflt;
	return step;
}

int rw_program_add(struct rw_program *prog, const struct rw_step *step)
{
	if (prog->count == prog->room) {
		size_t room = prog->room ? prog->room * 2 : 32;
		struct rw_step *steps = realloc(prog->steps, room * sizeof(*steps));

		if (!steps)
			return -ENOMEM;
		prog->steps = steps;
		prog->room = room;
	}
	prog->steps[prog->count++] = *step;
	return 0;
}

void rw_program_free(struct rw_program *prog)
{
	free(prog->steps);
	memset(prog, 0, sizeof(*prog));
}

size_t rw_episode_end(const struct rw_program *prog, size_t from)
{
	size_t end = from + 1;

	if (prog->steps[from].actor)
		while (end < prog->count && prog->steps[end].actor)
			end++;
	return end;
}

uint64_t rw_pos_at(struct rw_pos pos, uint64_t isize)
{
	int64_t base = 0;

	if (pos.base == RW_EOF)
		base = (int64_t)isize;
	else if (pos.base == RW_AEOF)
		base = (int64_t)((isize + RW_PAGE - 1) / RW_PAGE * RW_PAGE);
	return base + pos.add < 0 ? 0 : (uint64_t)(base + pos.add);
}

static const char *wrong_buffer(const struct rw_step *s)
{
	const struct rw_via_row *via = &rw_vias[s->via];
	bool vector = s->iov > 1 || s->vvar || s->odd;

	if (s->len * s->count > RW_BYTES_MAX)
		return "len * count is above 16M: make one of them smaller";
	if (s->via == RW_URING_FIXED && s->len * s->count > RW_FIXED_MAX)
		return "len * count is above 4M, which is what uring-fixed registers";
	if (vector && !via->vector)
		return "iov, vvar and odd want a via with vectors: pwritev, pwritev2, aio, uring";
	if (vector && s->count > 1)
		return "iov, vvar and odd want count=1";
	if (s->iov * RW_SECTOR > s->len && s->iov > 1)
		return "len is below 512 bytes for each iovec: give fewer";
	if (s->vvar && s->len < 2 * RW_PAGE)
		return "vvar wants len=8K or more";
	if (s->fail == RW_NONE)
		return NULL;
	if (s->vvar || s->via == RW_URING_FIXED)
		return "fail goes neither with vvar nor with uring-fixed, whose buffers are pinned";
	if (s->fail >= s->len * s->count)
		return "fail must be below the number of bytes written";
	if (!vector && s->mem && s->mem != (RW_PAGE - s->fail % RW_PAGE) % RW_PAGE)
		return "a buffer that fails ends at a page: mem must be -fail modulo 4096";
	return NULL;
}

const char *rw_step_wrong(const struct rw_step *s)
{
	if (s->actor && (s->verb == RW_FILL || s->verb == RW_UNFILL))
		return "fill and unfill cannot be in a group: take the @N away";
	if (s->verb != RW_WRITE)
		return NULL;
	if (s->count > 1 && !rw_vias[s->via].batch)
		return "count wants via=aio or one of the uring ones";
	if ((s->flags & RW_NOWAIT) && !rw_vias[s->via].rwf)
		return "flags=nowait wants via=pwritev2, aio or one of the uring ones";
	return wrong_buffer(s);
}

int rw_parse_size(const char *text, uint64_t *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*out = strtoull(text, &end, 0);
	if (errno || *out > UINT64_MAX >> 20)
		return -EINVAL;
	if (*end == 'K' || *end == 'M')
		*out <<= *end++ == 'K' ? 10 : 20;
	return *end ? -EINVAL : 0;
}

static int parse_pos(const char *text, struct rw_pos *out)
{
	uint64_t n = 0;
	int sign = 1;

	out->base = RW_ABS;
	if (!strncmp(text, "aeof", 4))
		out->base = RW_AEOF;
	else if (!strncmp(text, "eof", 3))
		out->base = RW_EOF;
	if (out->base != RW_ABS) {
		text += out->base == RW_AEOF ? 4 : 3;
		out->add = 0;
		if (!*text)
			return 0;
		if (*text != '+' && *text != '-')
			return -EINVAL;
		sign = *text++ == '-' ? -1 : 1;
	}
	if (rw_parse_size(text, &n) || n > 1ULL << 40)
		return -EINVAL;
	out->add = sign * (int64_t)n;
	return 0;
}

static int parse_flags(const char *text, uint64_t *out)
{
	*out = 0;
	while (*text) {
		size_t len = strcspn(text, ","), i = 0;

		while (i < FLAG_NAMES && (strlen(flag_names[i].name) != len ||
		                          strncmp(text, flag_names[i].name, len)))
			i++;
		if (i == FLAG_NAMES)
			return -EINVAL;
		*out |= flag_names[i].bit;
		text += len;
		text += *text == ',';
	}
	return 0;
}

static int parse_via(const char *text, uint64_t *out)
{
	for (*out = 0; *out < RW_VIAS; ++*out)
		if (!strcmp(text, rw_vias[*out].name))
			return 0;
	return -EINVAL;
}

static int parse_value(const char *text, enum key_id k, struct rw_step *step)
{
	uint64_t *v = value_at(step, k);

	switch (keys[k].type) {
	case T_POS:
		return parse_pos(text, &step->off);
	case T_VIA:
		return parse_via(text, v);
	case T_FLAGS:
		return parse_flags(text, v);
	case T_SIZE:
		if (rw_parse_size(text, v) || *v < keys[k].min || *v > keys[k].max)
			return -EINVAL;
		return 0;
	}
	return -EINVAL;
}

struct parser {
	char *why;
	size_t why_len;
	unsigned int line;
};

__attribute__((format(printf, 2, 3))) static int bad(struct parser *p, const char *fmt, ...)
{
	size_t used;
	va_list ap;

	used = (size_t)snprintf(p->why, p->why_len, "line %u: ", p->line);
	va_start(ap, fmt);
	if (used < p->why_len)
		vsnprintf(p->why + used, p->why_len - used, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* WORD is key=value of a step of this verb. */
static int parse_word(struct parser *p, char *word, struct rw_step *step, unsigned int *seen)
{
	const struct verb *verb = &verbs[step->verb];
	char *value = strchr(word, '=');
	int k = 0;

	if (!value)
		return bad(p, "'%s' is no key=value", word);
	*value++ = '\0';
	while (k < K_KEYS && (strcmp(word, keys[k].name) || !((verb->must | verb->may) & BIT(k))))
		k++;
	if (k == K_KEYS)
		return bad(p, "%s has no key '%s'; see randwrite --help", verb->name, word);
	if (*seen & BIT(k))
		return bad(p, "%s: %s is there twice", verb->name, word);
	*seen |= BIT(k);
	if (parse_value(value, k, step))
		return bad(p, "%s: %s=%s: not a value for it; see randwrite --help", verb->name,
		           word, value);
	return 0;
}

static int parse_step(struct parser *p, char *text, struct rw_program *out)
{
	char *save = NULL, *word = strtok_r(text, " \t\r", &save);
	unsigned int actor = 0, seen = 0;
	struct rw_step step;
	const char *wrong;
	int v = 0, err;

	if (!word)
		return 0;
	if (*word == '@') {
		actor = word[1] && !word[2] ? (unsigned int)(word[1] - '0') : 0;
		word = strtok_r(NULL, " \t\r", &save);
		if (actor < 1 || actor > RW_ACTORS || !word)
			return bad(p, "'@N VERB ...' wants N from 1 to %d and a verb", RW_ACTORS);
	}
	while (v < RW_VERBS && strcmp(word, verbs[v].name))
		v++;
	if (v == RW_VERBS)
		return bad(p, "no verb '%s'; see randwrite --help", word);
	step = rw_step_new(v);
	step.actor = actor;
	while ((word = strtok_r(NULL, " \t\r", &save))) {
		err = parse_word(p, word, &step, &seen);
		if (err)
			return err;
	}
	for (int k = 0; k < K_KEYS; k++)
		if ((verbs[v].must & ~seen) & BIT(k))
			return bad(p, "%s wants %s=", verbs[v].name, keys[k].name);
	wrong = rw_step_wrong(&step);
	return wrong ? bad(p, "%s", wrong) : rw_program_add(out, &step);
}

/* An actor's steps of one group must fit into its slot. */
static int check_groups(struct parser *p, const struct rw_program *prog)
{
	for (size_t at = 0, end; at < prog->count; at = end) {
		unsigned int of[RW_ACTORS + 1] = {0};

		end = rw_episode_end(prog, at);
		for (size_t i = at; i < end; i++)
			if (++of[prog->steps[i].actor] > RW_ACTOR_MAX)
				return bad(p, "more than %d steps of one actor in a group",
				           RW_ACTOR_MAX);
	}
	return 0;
}

int rw_program_parse(const char *text, struct rw_program *out, char *why, size_t why_len)
{
	struct parser p = {why, why_len, 1};
	char *copy = strdup(text), *at = copy;
	int err = copy ? 0 : -ENOMEM;

	memset(out, 0, sizeof(*out));
	while (!err && *at) {
		size_t len = strcspn(at, "\n;#");
		char stop = at[len];

		at[len] = '\0';
		err = parse_step(&p, at, out);
		at += len + (stop != '\0');
		if (stop == '#') {
			at += strcspn(at, "\n");
			stop = *at;
			at += stop == '\n';
		}
		p.line += stop == '\n';
	}
	if (!err)
		err = check_groups(&p, out);
	if (err)
		rw_program_free(out);
	free(copy);
	return err;
}

static void print_size(FILE *to, uint64_t n)
{
	if (n && n % (1 << 20) == 0)
		fprintf(to, "%lluM", (unsigned long long)(n >> 20));
	else if (n && n % 1024 == 0)
		fprintf(to, "%lluK", (unsigned long long)(n >> 10));
	else
		fprintf(to, "%llu", (unsigned long long)n);
}

static void print_pos(FILE *to, struct rw_pos pos)
{
	if (pos.base != RW_ABS) {
		fputs(pos.base == RW_EOF ? "eof" : "aeof", to);
		if (!pos.add)
			return;
		fputc(pos.add < 0 ? '-' : '+', to);
	}
	print_size(to, (uint64_t)(pos.add < 0 ? -pos.add : pos.add));
}

static void print_flags(FILE *to, uint64_t flags)
{
	const char *comma = "";

	for (size_t i = 0; i < FLAG_NAMES; i++) {
		if (!(flags & flag_names[i].bit))
			continue;
		fprintf(to, "%s%s", comma, flag_names[i].name);
		comma = ",";
	}
}

void rw_step_print(FILE *to, const struct rw_step *step)
{
	const struct verb *verb = &verbs[step->verb];
	struct rw_step copy = *step;

	if (step->actor)
		fprintf(to, "@%u ", step->actor);
	fputs(verb->name, to);
	for (int k = 0; k < K_KEYS; k++) {
		uint64_t v = *value_at(&copy, k);

		if (!((verb->must | verb->may) & BIT(k)) ||
		    ((verb->may & BIT(k)) && v == keys[k].dflt))
			continue;
		fprintf(to, " %s=", keys[k].name);
		if (keys[k].type == T_POS)
			print_pos(to, step->off);
		else if (keys[k].type == T_VIA)
			fputs(rw_vias[v].name, to);
		else if (keys[k].type == T_FLAGS)
			print_flags(to, v);
		else
			print_size(to, v);
	}
}

void rw_language_help(FILE *to)
{
	fprintf(to, "steps, one a line or separated by ';', '#' starts a comment:\n");
	for (int v = 0; v < RW_VERBS; v++) {
		fprintf(to, "  %-9s", verbs[v].name);
		for (int k = 0; k < K_KEYS; k++)
			if (verbs[v].must & BIT(k))
				fprintf(to, "%s= ", keys[k].name);
		fprintf(to, " %s\n", verbs[v].help);
	}
	fprintf(to, "keys:\n");
	for (int k = 0; k < K_KEYS; k++)
		fprintf(to, "  %-9s%s\n", keys[k].name, keys[k].help);
	fprintf(to, "via:");
	for (int i = 0; i < RW_VIAS; i++)
		fprintf(to, " %s", rw_vias[i].name);
	fprintf(to,
	        "\noffsets: N, eof, eof+N, eof-N, aeof+N (i_size rounded up to 4096, then +N);\n"
	        "sizes take K and M. Steps that start with '@N ' (N = 1 to 8) next to each\n"
	        "other are one group: the steps of each N run in order in a process of\n"
	        "their own, all at the same time.\n");
}
