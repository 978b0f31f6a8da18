// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions add, remove and end, as in a model. */
#include "set_model.h"

static void sessions_add_and_remove_as_in_a_model(void **state)
{
	static struct model m;
	struct test_random r = test_random(200);
	u32 turn, step;

	(void)state;
	model_init(&m);
	for (turn = 0; turn < test_rounds(12); turn++) {
		for (step = 0; step < 250; step++) {
			model_change(&m, &r, turn);
			if (step % 25 == 0)
				model_verify(&m);
		}
	}
	assert_true(fake.arms > 100);
	model_exit(&m);
}

static void a_set_is_cleared_span_by_span(void **state)
{
	static struct model m;
	struct kwt_set *set = &m.sessions[1].set;
	u64 before;
	u32 i, n;

	(void)state;
	model_init(&m);
	for (i = 0; i < NR_GFNS; i += 3) {
		model_add(&m, 0, i);
		model_add(&m, 1, i);
		model_add(&m, 1, (i + 1) % NR_GFNS);
	}
	for (n = 0; set->pages; n++) {
		before = set->pages;
		assert_true(kwt_set_clear_first(set, true));
		assert_true(set->pages < before);
	}
	/* The windows lie in 7 chunks. */
	assert_int_equal(n, 7);
	assert_false(kwt_set_clear_first(set, true));

	for (i = 0; i < NR_GFNS; i++) {
		m.users[i] -= m.tracked[1][i];
		m.tracked[1][i] = false;
	}
	m.pages[1] = 0;
	model_verify(&m);
	model_exit(&m);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(sessions_add_and_remove_as_in_a_model),
		CASE(a_set_is_cleared_span_by_span),
	};

	return RUN(cases);
}
