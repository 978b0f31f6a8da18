/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Some sessions on one space, and plain arrays that say what they track. */
#ifndef SET_MODEL_H
#define SET_MODEL_H

#include "test.h"

#define NR_SETS		4
#define NR_WINDOWS	6
#define WINDOW		256
#define NR_GFNS		(NR_WINDOWS * WINDOW)

struct model {
	struct kwt_space space;
	struct session sessions[NR_SETS];
	bool tracked[NR_SETS][NR_GFNS];
	u32 users[NR_GFNS];
	u64 pages[NR_SETS];
};

u64 model_gfn(u32 i);
void model_init(struct model *m);
void model_exit(struct model *m);

/* Session s adds, or removes, gfn i, and gets the right answer. */
void model_add(struct model *m, u32 s, u32 i);
void model_remove(struct model *m, u32 s, u32 i);

/* A run of gfns. By turns more is added or more is removed. */
void model_change(struct model *m, struct test_random *r, u32 turn);

void model_verify(struct model *m);

#endif
