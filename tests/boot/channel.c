// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel.h"

enum { TRIES = 2000, TRY_US = 10000 };

static bool try_connect(struct channel *channel, const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	return !connect(channel->fd, (struct sockaddr *)&name, sizeof(name));
}

void channel_open(struct channel *channel, const char *path)
{
	channel->used = 0;
	channel->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (channel->fd < 0)
		err(1, "socket");
	for (int i = 0; !try_connect(channel, path); i++) {
		if ((errno != ENOENT && errno != ECONNREFUSED) || i == TRIES)
			err(1, "%s", path);
		usleep(TRY_US);
	}
}

void channel_close(struct channel *channel)
{
	close(channel->fd);
}

void channel_say(struct channel *channel, const char *line)
{
	if (dprintf(channel->fd, "%s\n", line) < 0)
		err(1, "writing to QEMU");
}

/* A line that is longer than the buffer loses its beginning. */
bool channel_fill(struct channel *channel)
{
	ssize_t n;

	if (channel->used == sizeof(channel->text))
		channel->used = 0;
	n = read(channel->fd, channel->text + channel->used,
		 sizeof(channel->text) - channel->used);
	if (n < 0 && errno != EINTR && errno != ECONNRESET)
		err(1, "reading from QEMU");
	if (n > 0)
		channel->used += n;
	return n > 0;
}

bool channel_line(struct channel *channel, char *line, size_t size)
{
	char *end = memchr(channel->text, '\n', channel->used);
	size_t len;

	if (!end)
		return false;
	len = end - channel->text;
	snprintf(line, size, "%.*s", (int)len, channel->text);
	line[strcspn(line, "\r")] = '\0';
	channel->used -= len + 1;
	memmove(channel->text, end + 1, channel->used);
	return true;
}
