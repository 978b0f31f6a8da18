// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/rcupdate.h>

#include "set_model.h"

/* The guest's memory at both ends of its halves, and across chunks. */
static const u64 windows[NR_WINDOWS] = {
	0,
	KWT_CHUNK_PAGES - WINDOW / 2,
	9 * KWT_CHUNK_PAGES - 17,
	FAKE_LOW_END - WINDOW,
	FAKE_HIGH_END - FAKE_PAGES / 2,
	FAKE_HIGH_END - WINDOW,
};

u64 model_gfn(u32 i)
{
	return windows[i / WINDOW] + i % WINDOW;
}

/* Some pages KVM does not want to protect. */
static int refuse(u64 gfn)
{
	switch (gfn % 61) {
	case 7:
		return -ENOENT;
	case 8:
		return -EOPNOTSUPP;
	default:
		return 0;
	}
}

void model_init(struct model *m)
{
	u32 s;

	memset(m, 0, sizeof(*m));
	assert_int_equal(kwt_space_init(&m->space), 0);
	for (s = 0; s < NR_SETS; s++)
		session_init(&m->sessions[s], &m->space, 8, s % 2);
	fake.refuse = refuse;
}

void model_exit(struct model *m)
{
	u32 s;

	for (s = 0; s < NR_SETS; s++)
		session_exit(&m->sessions[s]);
	assert_int_equal(fake.arms, fake.disarms);
	assert_int_equal(m->space.bytes, test_bytes());
	kwt_space_exit(&m->space);
}

void model_add(struct model *m, u32 s, u32 i)
{
	int expected = m->tracked[s][i] ? 0 : 1;

	if (expected && refuse(model_gfn(i)))
		expected = refuse(model_gfn(i));
	assert_int_equal(session_add(&m->sessions[s], model_gfn(i)), expected);
	if (expected != 1)
		return;
	m->tracked[s][i] = true;
	m->users[i]++;
	m->pages[s]++;
}

void model_remove(struct model *m, u32 s, u32 i)
{
	int expected = m->tracked[s][i] ? 1 : -ENOENT;

	assert_int_equal(session_remove(&m->sessions[s], model_gfn(i)),
			 expected);
	if (expected != 1)
		return;
	m->tracked[s][i] = false;
	m->users[i]--;
	m->pages[s]--;
}

void model_verify(struct model *m)
{
	size_t bytes = 0;
	u64 pages = 0;
	u32 s, i;

	for (i = 0; i < NR_GFNS; i++) {
		pages += m->users[i] > 0;
		assert_int_equal(kwt_space_users(&m->space, model_gfn(i)),
				 m->users[i]);
		assert_int_equal(fake_armed(model_gfn(i)), m->users[i] > 0);
	}
	assert_int_equal(m->space.pages, pages);
	for (s = 0; s < NR_SETS; s++) {
		struct kwt_set *set = &m->sessions[s].set;

		for (i = 0; i < NR_GFNS; i++)
			assert_int_equal(kwt_set_state(set, model_gfn(i)),
					 m->tracked[s][i] ?
					 KVM_WTRACK_GFN_TRACKED : 0);
		assert_int_equal(set->pages, m->pages[s]);
		assert_true(!set->bytes == !set->pages);
		bytes += set->bytes;
	}
	rcu_barrier();
	assert_int_equal(m->space.bytes + bytes, test_bytes());
}

void model_change(struct model *m, struct test_random *r, u32 turn)
{
	u32 s = test_below(r, NR_SETS), i = test_below(r, NR_GFNS);
	u32 end = i + 1 + test_below(r, 1 + test_below(r, 80));
	bool adding = test_below(r, 4) ? turn % 2 : test_below(r, 2);

	for (; i < end && i < NR_GFNS; i++) {
		if (adding)
			model_add(m, s, i);
		else
			model_remove(m, s, i);
	}
}
