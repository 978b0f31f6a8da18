// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "console.h"

void console_open(struct console *console, const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	console->used = 0;
	console->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (console->fd < 0)
		err(1, "socket");
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	if (connect(console->fd, (struct sockaddr *)&name, sizeof(name)))
		err(1, "console %s", path);
}

void console_say(struct console *console, const char *line)
{
	if (dprintf(console->fd, "%s\n", line) < 0)
		err(1, "writing to the guest's console");
}

void console_fill(struct console *console)
{
	size_t room = sizeof(console->text) - console->used;
	ssize_t n;

	if (!room)
		errx(1, "the guest's console has a line that is too long");
	n = read(console->fd, console->text + console->used, room);
	if (n < 0)
		err(1, "reading the guest's console");
	if (!n)
		errx(1, "the guest's console was closed");
	console->used += n;
}

bool console_line(struct console *console, char *line, size_t size)
{
	char *end = memchr(console->text, '\n', console->used);
	size_t len;

	if (!end)
		return false;
	len = end - console->text;
	snprintf(line, size, "%.*s", (int)len, console->text);
	line[strcspn(line, "\r")] = '\0';
	console->used -= len + 1;
	memmove(console->text, end + 1, console->used);
	return true;
}
