// SPDX-License-Identifier: GPL-2.0-or-later
/* wtrack-watch: the administrator's watches. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "util.h"
#include "watcher.h"

static const char help[] =
	"usage: wtrack-watch [OPTION]\n"
	"\n"
	"Writes to the journal what the guests of this host store to the pages that\n"
	"the files in /etc/wtrackd/watches.d name. systemd starts it.\n"
	"\n"
	"  -d, --debug    log more\n"
	"  -h, --help     this text\n"
	"      --version  the version\n"
	"\n"
	"See wtrack-watch(8).\n";

/* 0 to go on, 1 when all is done, negative when the usage is wrong. */
static int parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ },
	};
	int c;

	while ((c = getopt_long(argc, argv, "dh", options, NULL)) >= 0) {
		switch (c) {
		case 'd':
			log_set_debug(true);
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		case 'v':
			puts("wtrack-watch " WTRACK_VERSION);
			return 1;
		default:
			return -1;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "wtrack-watch: it takes no arguments; see wtrack-watch --help\n");
	return -1;
}

static int run(struct watcher *w)
{
	int r;

	/* It makes no sense to try it again. */
	if (watcher_load(w) < 0) {
		watcher_tell_config(w);
		return EX_CONFIG;
	}
	r = watcher_start(w);
	if (r < 0)
		return r;
	r = sd_event_loop(w->event);
	if (r < 0)
		log_errno(r, "the event loop failed");
	watcher_stop(w);
	return r;
}

int main(int argc, char **argv)
{
	int r = parse_arguments(argc, argv);
	struct watcher *w;

	if (r)
		return r < 0 ? 2 : 0;
	log_init();
	r = watcher_new(&w);
	if (r < 0)
		return EXIT_FAILURE;
	r = run(w);
	/*
	 * A thread may be stuck in the kernel, and what it uses is not freed under it:
	 * the kernel takes all of it back, and the service manager keeps the sessions.
	 */
	_exit(!r ? EXIT_SUCCESS : r == EX_CONFIG ? EX_CONFIG : EXIT_FAILURE);
}
