/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's serial console, which the VMM offers as a socket. */
#ifndef DEMO_CONSOLE_H
#define DEMO_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

struct console {
	int fd;
	size_t used;
	char text[512];		/* what was read beyond the last line */
};

/* These end the program when the console fails or is closed. */
void console_open(struct console *console, const char *path);
void console_say(struct console *console, const char *line);
/* Reads what is there; call it when fd is readable. */
void console_fill(struct console *console);

/* Takes the next line out of what was read, false when none is complete. */
bool console_line(struct console *console, char *line, size_t size);

#endif
