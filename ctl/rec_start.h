/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CTL_REC_START_H
#define CTL_REC_START_H

struct follow;
struct rec_writer;

/* A recording of what will be followed. 0 or a negative errno. */
int rec_start(struct follow *follow, int fd, struct rec_writer **ret);

#endif
