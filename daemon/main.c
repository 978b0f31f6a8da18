// SPDX-License-Identifier: GPL-2.0-or-later
/* wtrackd: opens sessions for others, keeps account of them. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "log.h"
#include "look.h"
#include "manager.h"
#include "util.h"

static const char help[] =
	"usage: wtrackd [OPTION]\n"
	"\n"
	"Opens sessions of kvm-wtrack for unprivileged users, and keeps account of\n"
	"all there are. systemd starts it.\n"
	"\n"
	"  -d, --debug    log more\n"
	"  -h, --help     this text\n"
	"      --version  the version\n"
	"\n"
	"See wtrackd(8).\n";

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
			puts("wtrackd " WTRACK_VERSION);
			return 1;
		default:
			return -1;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "wtrackd: it takes no arguments; see wtrackd --help\n");
	return -1;
}

/* Also what is not 0 is a failure: the bus is gone, somebody has our name. */
static int run(void)
{
	CLEANUP(manager_freep) struct manager *m = NULL;
	int r;

	r = manager_new(&m);
	if (r < 0)
		return r;
	/* It makes no sense to try it again. */
	if (manager_load_config(m) < 0) {
		manager_tell_config(m);
		return EX_CONFIG;
	}
	r = manager_start(m);
	if (r < 0)
		return r;
	r = sd_event_loop(m->event);
	if (r < 0)
		return log_errno(r, "the event loop failed");
	return r;
}

int main(int argc, char **argv)
{
	int r = parse_arguments(argc, argv);

	if (r)
		return r < 0 ? 2 : 0;
	log_init();
	looks_have_capability_alone();
	r = run();
	return !r ? EXIT_SUCCESS : r == EX_CONFIG ? EX_CONFIG : EXIT_FAILURE;
}
