/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket that lines come from: the guest's console, QEMU's monitor. */
#ifndef BOOT_CHANNEL_H
#define BOOT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

struct channel {
	int fd;
	size_t used;
	char text[8192];
};

/* Waits until somebody listens there. */
void channel_open(struct channel *channel, const char *path);
void channel_close(struct channel *channel);
/* Sends a line. */
void channel_say(struct channel *channel, const char *line);
/* Reads what is there, or waits for it; false at the end. */
bool channel_fill(struct channel *channel);
/* The next whole line, without its end; false if there is none. */
bool channel_line(struct channel *channel, char *line, size_t size);

#endif /* BOOT_CHANNEL_H */
