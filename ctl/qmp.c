// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "qmp.h"
#include "stream.h"

/* Longer than any line that QEMU sends without being asked for a list. */
#define LINE_BYTES	65536
#define NS_PER_MS	UINT64_C(1000000)

/* Of a line, what the caller looks for. */
enum answer { ANSWER_NONE, ANSWER_GREETING, ANSWER_DONE, ANSWER_REFUSED };

static int wait_readable(int fd, uint64_t until_ns)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t now = stream_now_ns();
	int r;

	if (now >= until_ns)
		return -ETIMEDOUT;
	r = poll(&pfd, 1, (int)((until_ns - now) / NS_PER_MS) + 1);
	return r < 0 && errno != EINTR ? -errno : 0;
}

/* Byte by byte: what follows the line stays in the socket. */
static int read_line(int fd, char *line, uint64_t until_ns)
{
	size_t used = 0;
	ssize_t n;
	int r;

	while (used < LINE_BYTES - 1) {
		n = recv(fd, line + used, 1, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			r = wait_readable(fd, until_ns);
			if (r)
				return r;
			continue;
		}
		if (n <= 0)
			return n ? -errno : -EPIPE;
		if (line[used] == '\n')
			break;
		used++;
	}
	line[used] = '\0';
	return used == LINE_BYTES - 1 ? -EPROTO : 0;
}

static bool has(const struct json_object *obj, const char *key)
{
	return json_object_object_get_ex(obj, key, NULL);
}

static enum answer answer_of(const char *line)
{
	struct json_object *obj = json_tokener_parse(line);
	enum answer answer = ANSWER_NONE;

	if (has(obj, "QMP"))
		answer = ANSWER_GREETING;
	else if (has(obj, "return"))
		answer = ANSWER_DONE;
	else if (has(obj, "error"))
		answer = ANSWER_REFUSED;
	json_object_put(obj);
	return answer;
}

/* Events of the VM come in between, and are skipped. */
static int wait_for(int fd, enum answer wanted)
{
	uint64_t until_ns = stream_now_ns() + QMP_MS * NS_PER_MS;
	char line[LINE_BYTES];
	enum answer answer;
	int r;

	do {
		r = read_line(fd, line, until_ns);
		if (r)
			return r;
		answer = answer_of(line);
	} while (answer == ANSWER_NONE && stream_now_ns() < until_ns);
	if (answer == ANSWER_NONE)
		return -ETIMEDOUT;
	return answer == wanted ? 0 : -EPROTO;
}

int qmp_send(int fd, const char *command)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "{\"execute\":\"%s\"}\n",
			   command);

	/* It fits into any socket whose other end reads. */
	if (send(fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != len)
		return errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
	return 0;
}

int qmp_wait(int fd)
{
	return wait_for(fd, ANSWER_DONE);
}

static int negotiate(int fd)
{
	int r = wait_for(fd, ANSWER_GREETING);

	if (!r)
		r = qmp_send(fd, "qmp_capabilities");
	return r ? r : qmp_wait(fd);
}

int qmp_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno :
									 0;
	if (!r)
		r = negotiate(fd);
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}
