/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A place in `plain` is one write's at a time, and each write learns whether it has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdint.h>
#include "plain.h"

#define THREADS 3
#define ROUNDS  2000000

static struct e4d_plain place;
static uint32_t inside; /* how many have the place now */

struct writer {
	pthread_t thread;
	__u64 iocb;
	uint64_t has, refused, shared;
};

static void *writer(void *arg)
{
	struct writer *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (!e4d_plain_claim(&place, w->iocb)) {
			w->refused++;
			continue;
		}
		w->has++;
		w->shared += __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) != 1 ||
		             __atomic_load_n(&place.iocb, __ATOMIC_SEQ_CST) != w->iocb;
		__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		e4d_plain_free(&place);
	}
	return NULL;
}

static void test_one_at_a_time(void **state)
{
	struct writer w[THREADS] = {0};
	uint64_t has = 0, refused = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		w[i].iocb = (i + 1) << 8;
		assert_int_equal(pthread_create(&w[i].thread, NULL, writer, &w[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		assert_int_equal(w[i].shared, 0);
		has += w[i].has;
		refused += w[i].refused;
	}
	assert_int_equal(has + refused, THREADS * ROUNDS);
	assert_true(has > 0);
	assert_true(e4d_plain_claim(&place, 7)); /* nobody has it now */
	e4d_plain_free(&place);
}

/* The end of a write was missed, and its iocb is used again: the place is not lost. */
static void test_taken_over(void **state)
{
	(void)state;
	assert_true(e4d_plain_claim(&place, 7));
	assert_false(e4d_plain_claim(&place, 8));
	assert_true(e4d_plain_claim(&place, 7));
	assert_false(e4d_plain_claim(&place, 8));
	e4d_plain_free(&place);
	assert_true(e4d_plain_claim(&place, 8));
	e4d_plain_free(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
