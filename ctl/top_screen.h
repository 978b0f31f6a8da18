/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal, for `wtrackctl top`: the only place that knows curses. */
#ifndef CTL_TOP_SCREEN_H
#define CTL_TOP_SCREEN_H

#include "top_model.h"
#include "top_view.h"

/* 0, or -ENOTTY when the terminal cannot show a full screen. */
int screen_open(void);
/* Gives the terminal back as it was. */
void screen_close(void);

void screen_draw(struct top_view *view, struct top_model *top);
/* False when no key is waiting. */
bool screen_key(enum top_key *ret);
/* The terminal has another size. */
void screen_resize(void);

#endif
