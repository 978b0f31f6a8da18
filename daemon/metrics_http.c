// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wtrack-metrics: hands wtrackd's metrics to whoever scrapes them by HTTP. A
 * program of its own, so that what the network sends is parsed where there is
 * nothing to gain: without rights, without a view of any VM.
 *
 * systemd holds the socket and starts it with the first connection; it ends
 * when nobody has asked for a while.
 */
#include <errno.h>
#include <getopt.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "common/number.h"
#include "metrics_fetch.h"

#define PATH		"/metrics"
#define CONTENT_TYPE \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PLAIN_TYPE	"text/plain; charset=utf-8"

#define MAX_CONNECTIONS	16
#define CONNECTION_SECONDS	10
#define IDLE_SECONDS	90
#define MAX_IDLE_SECONDS	86400

struct server {
	struct MHD_Daemon *http;
	unsigned int connections;
	time_t used;
	int idle_seconds;
};

static time_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Takes the text over. */
static enum MHD_Result answer(struct MHD_Connection *connection,
			      unsigned int status, const char *type, char *text)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(strlen(text), text,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
				"no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
					"GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection,
			      unsigned int status, const char *why)
{
	char *text = strdup(why);

	return text ? answer(connection, status, PLAIN_TYPE, text) : MHD_NO;
}

static enum MHD_Result on_request(void *userdata,
				  struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_size, void **request)
{
	struct server *server = userdata;
	char *text;
	int r;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)request;
	server->used = now_seconds();
	if (strcmp(method, MHD_HTTP_METHOD_GET) &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			      "only GET and HEAD\n");
	if (strcmp(url, PATH))
		return refuse(connection, MHD_HTTP_NOT_FOUND,
			      "there is only " PATH "\n");
	r = metrics_fetch(&text);
	if (r < 0) {
		fprintf(stderr, SD_WARNING "wtrackd does not answer: %s\n",
			strerror(-r));
		return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			      "wtrackd does not answer\n");
	}
	return answer(connection, MHD_HTTP_OK, CONTENT_TYPE, text);
}

static void on_connection(void *userdata, struct MHD_Connection *connection,
			  void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct server *server = userdata;

	(void)connection;
	(void)socket_context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		server->connections++;
	else
		server->connections--;
	server->used = now_seconds();
}

/* Milliseconds until there is something to do, whoever comes. */
static int wait_ms(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG next_ms;
	time_t idle = now_seconds() - server->used;
	int left_ms = idle < server->idle_seconds ?
			      (server->idle_seconds - (int)idle) * 1000 : 0;

	if (MHD_get_timeout(server->http, &next_ms) != MHD_YES)
		return left_ms;
	return next_ms < (MHD_UNSIGNED_LONG_LONG)left_ms ? (int)next_ms :
							    left_ms;
}

static bool is_idle(const struct server *server)
{
	return !server->connections &&
	       now_seconds() - server->used >= server->idle_seconds;
}

/* Connections that come while it ends wait in systemd's socket. */
static int serve(struct server *server)
{
	const union MHD_DaemonInfo *info;
	struct pollfd poller = { .events = POLLIN };

	info = MHD_get_daemon_info(server->http, MHD_DAEMON_INFO_EPOLL_FD);
	poller.fd = info->epoll_fd;
	server->used = now_seconds();
	while (!is_idle(server)) {
		if (poll(&poller, 1, wait_ms(server)) < 0 && errno != EINTR)
			return -errno;
		if (MHD_run(server->http) != MHD_YES)
			return -EIO;
	}
	return 0;
}

static int start(struct server *server, int fd)
{
	server->http = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, server,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_SECONDS,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_END);
	return server->http ? 0 : -EIO;
}

static const char help[] =
	"usage: wtrack-metrics [OPTION]\n"
	"\n"
	"Serves wtrackd's metrics as OpenMetrics on the socket that systemd\n"
	"passes: systemctl enable --now wtrack-metrics.socket\n"
	"\n"
	"      --idle=SECONDS  end when nobody has asked for so long (90)\n"
	"  -h, --help          this text\n"
	"      --version       the version\n";

static int parse_idle(const char *text, int *ret)
{
	uint64_t seconds;
	int r = number_parse_time(text, NUMBER_SEC, 1, MAX_IDLE_SECONDS,
				  &seconds);

	if (!r)
		*ret = (int)seconds;
	return r;
}

/* 0 to go on, 1 when all is done, negative when the usage is wrong. */
static int parse_arguments(int argc, char **argv, struct server *server)
{
	static const struct option options[] = {
		{ "idle", required_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 'i':
			if (parse_idle(optarg, &server->idle_seconds) < 0)
				return -1;
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		case 'v':
			puts("wtrack-metrics " WTRACK_VERSION);
			return 1;
		default:
			return -1;
		}
	}
	return optind == argc ? 0 : -1;
}

static int run(struct server *server)
{
	int r;

	r = start(server, SD_LISTEN_FDS_START);
	if (r < 0)
		return r;
	(void)sd_notify(0, "READY=1");
	r = serve(server);
	(void)sd_notify(0, "STOPPING=1");
	/* The socket is systemd's, and is listened on when we are not there. */
	(void)MHD_quiesce_daemon(server->http);
	MHD_stop_daemon(server->http);
	return r;
}

int main(int argc, char **argv)
{
	struct server server = { .idle_seconds = IDLE_SECONDS };
	int r;

	r = parse_arguments(argc, argv, &server);
	if (r > 0)
		return EXIT_SUCCESS;
	if (r < 0 || sd_listen_fds(1) != 1) {
		fputs("wtrack-metrics: systemd starts it with a socket; see "
		      "wtrack-metrics --help\n", stderr);
		return 2;
	}
	r = run(&server);
	if (r < 0)
		fprintf(stderr, SD_ERR "cannot serve: %s\n", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
