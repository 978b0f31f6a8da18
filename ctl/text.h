/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for people. What guests and processes call themselves is not trusted:
 * it is printed so that it cannot steer a terminal.
 */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does this character do something else to a terminal than show itself? */
bool text_is_unsafe(uint32_t c);

/*
 * Decodes one character of UTF-8. Returns its length; 0 at the end of the
 * string; -1 for a byte that does not belong there.
 */
int text_decode(const char *s, uint32_t *ret);

/*
 * A copy for printing: unsafe characters, what is not UTF-8, and what the
 * locale cannot show, as \xNN or \uNNNN; a backslash as two. Never NULL.
 */
char *text_escape(const char *s);
/* The same of what has its backslashes doubled already. */
char *text_escape_again(const char *s);

/* Columns that an escaped text takes on a terminal. */
size_t text_width(const char *s);

/* "4.0K", "1.2M": for columns of bytes. */
char *text_bytes(uint64_t bytes, char *buf, size_t size);

/* The name of a uid, or its number. */
char *text_user(uint32_t uid, char *buf, size_t size);

/* printf() into new memory; ends the program when there is none. */
char *text_printf(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Of stdout. Colours: a terminal, and NO_COLOR is not set. */
bool term_is_tty(void);
bool term_has_colour(void);
/* Columns of the terminal, 0 if it is none: no limit then. */
size_t term_width(void);

enum colour { COLOUR_NONE, COLOUR_BOLD, COLOUR_DIM, COLOUR_RED, COLOUR_GREEN,
	      COLOUR_YELLOW };

/* What switches a colour on, COLOUR_NONE: all off; "" without colours. */
const char *term_colour(enum colour colour);

#endif
