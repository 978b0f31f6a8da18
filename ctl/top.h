/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of `wtrackctl top`. */
#ifndef CTL_TOP_H
#define CTL_TOP_H

#include "ctl.h"
#include "follow.h"
#include "top_model.h"
#include "top_view.h"

struct terminal;

/**
 * struct top - what it works on
 * @ctl: the run
 * @follow: the stream; and the session on the pages, if there are any
 * @model: what is shown
 * @view: how
 * @terminal: of the screen
 */
struct top {
	struct ctl *ctl;
	struct follow follow;
	struct top_model model;
	struct top_view view;
	struct terminal *terminal;
};

/* Asks the daemon and makes new rows. 0, or the exit code after ctl_fail(). */
int top_look(struct top *top);

/* Both return the exit code. */
int top_run_screen(struct top *top);
int top_run_batch(struct top *top);

#endif
