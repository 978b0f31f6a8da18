// SPDX-License-Identifier: GPL-2.0-or-later
/* wtrackctl: look at and follow writes of KVM guests. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "command.h"
#include "help.h"

static int run(struct ctl *ctl)
{
	if (args_has(&ctl->args, "help"))
		return help_show(ctl, ctl->command);
	if (args_has(&ctl->args, "version"))
		return version_show(ctl);
	return ctl->command->run(ctl);
}

/* A full disk is not success. */
static int finish(struct ctl *ctl, int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "wtrackctl: cannot write: %s; what was printed "
			"is not complete\n", strerror(errno));
		code = code == EXIT_OK ? EXIT_FAILED : code;
	}
	sd_bus_flush_close_unref(ctl->bus);
	args_free(&ctl->args);
	return code;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .legend = true };
	int code;

	/* A limit of file sizes is a full disk, and no reason to dump core. */
	signal(SIGXFSZ, SIG_IGN);
	/* Of the locale only characters: numbers stay as programs read them. */
	setlocale(LC_CTYPE, "");
	code = args_parse(&ctl, argc, argv);
	if (!code)
		code = run(&ctl);
	return finish(&ctl, code);
}
