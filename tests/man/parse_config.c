// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parse_config DIR [WATCH]: reads DIR/wtrackd.conf, or a watch, as the daemons
 * do, and fails when it would have warned.
 */
#include <stdio.h>

#include "config.h"
#include "watch_config.h"

static int warnings;

static void on_report(void *userdata, const char *file, unsigned int line,
		      const char *message)
{
	(void)userdata;
	printf("%s:%u: %s\n", file, line, message);
	warnings++;
}

int main(int argc, char **argv)
{
	const char *const dirs[] = { argc > 1 ? argv[1] : "", NULL };
	struct watch_config *watch;
	struct defaults defaults;
	struct config config;
	int r;

	defaults_init(&defaults);
	r = config_init(&config);
	if (!r && argc > 2)
		r = watch_config_read(argv[2], &defaults, on_report, NULL,
				      &watch);
	else if (!r)
		r = config_load(&config, dirs, on_report, NULL);
	if (!r && argc <= 2)
		r = defaults_load(&defaults, dirs, on_report, NULL);
	return r < 0 || warnings;
}
