/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adding, arming again and removing in pieces, so that a signal's handler, which runs between
 * two of them, does not have to wait for all. A range that comes in several
 * pieces is accounted for as if it had come in one.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "binding.h"

#define PIECE_RANGES	1024

enum change_kind { CHANGE_ADD, CHANGE_REARM, CHANGE_REMOVE };

struct change {
	struct session *self;
	struct wtrack_session *session;
	enum change_kind kind;
	unsigned int flags;	/* WTRACK_CHANGE_*, of add() and rearm() */
	struct wtrack_range *ranges;
	struct wtrack_result *results;
	size_t nr;
	/* How far it came: ranges, pages of the next one. */
	size_t at;
	uint64_t offset;
	int refused;		/* the first reason */
};

struct piece {
	struct wtrack_range ranges[PIECE_RANGES];
	struct wtrack_result results[PIECE_RANGES];
	size_t nr;
};

/* piece.c */
void piece_make(struct piece *piece, const struct change *change);
void piece_account(struct change *change, const struct piece *piece);
void piece_advance(struct change *change, const struct piece *piece);

#endif
