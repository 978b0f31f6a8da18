// SPDX-License-Identifier: GPL-2.0-or-later
/* usage: work copies|floats: what a guest does all day, and checks here. */
#include <stdio.h>
#include <string.h>

#include "guest.h"
#include "work.h"

static int say(const char *what, bool good)
{
	printf("%s%s%s\n", GUEST_SAYS, good ? GUEST_GOOD : "bad ", what);
	return !good;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "copies"))
		return say("memcpy", copies_are_right());
	if (argc == 2 && !strcmp(argv[1], "floats"))
		return say("floats", floats_are_right());
	fprintf(stderr, "usage: work copies|floats\n");
	return 2;
}
