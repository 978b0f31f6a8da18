// SPDX-License-Identifier: GPL-2.0-or-later
/* What stdout is. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/number.h"
#include "text.h"

bool term_is_tty(void)
{
	return isatty(STDOUT_FILENO);
}

bool term_has_colour(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return term_is_tty() && !(no_color && *no_color) && term &&
	       strcmp(term, "dumb");
}

size_t term_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t wanted;

	if (!term_is_tty())
		return 0;
	if (columns && !number_parse_decimal(columns, 1, USHRT_MAX, &wanted))
		return (size_t)wanted;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

const char *term_colour(enum colour colour)
{
	static const char *const sequences[] = {
		[COLOUR_NONE] = "\033[0m",
		[COLOUR_BOLD] = "\033[1m",
		[COLOUR_DIM] = "\033[2m",
		[COLOUR_RED] = "\033[31m",
		[COLOUR_GREEN] = "\033[32m",
		[COLOUR_YELLOW] = "\033[33m",
	};

	return term_has_colour() ? sequences[colour] : "";
}
