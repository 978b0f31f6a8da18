// SPDX-License-Identifier: GPL-2.0-or-later
#define NCURSES_WIDECHAR 1
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <curses.h>

#include "mem.h"
#include "output.h"
#include "text.h"
#include "top_screen.h"

#define SHIFT_TAB	KEY_BTAB

enum { PAIR_WARNING = 1, PAIR_HEADING };

static SCREEN *screen;

static void make_colours(void)
{
	if (!term_has_colour() || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(PAIR_WARNING, COLOR_YELLOW, -1);
	init_pair(PAIR_HEADING, COLOR_CYAN, -1);
}

int screen_open(void)
{
	screen = newterm(NULL, output_terminal(), stdin);
	if (!screen)
		return -ENOTTY;
	set_term(screen);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	make_colours();
	return 0;
}

void screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

void screen_resize(void)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row &&
	    size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	clearok(stdscr, TRUE);
}

static attr_t look_of(enum top_look look)
{
	switch (look) {
	case LOOK_TITLE:
		return A_REVERSE | A_BOLD;
	case LOOK_PANE:
		return A_BOLD;
	case LOOK_HEADING:
		return A_UNDERLINE | (attr_t)COLOR_PAIR(PAIR_HEADING);
	case LOOK_SELECTED:
		return A_REVERSE;
	case LOOK_DIM:
		return A_DIM;
	case LOOK_WARNING:
		return A_BOLD | (attr_t)COLOR_PAIR(PAIR_WARNING);
	default:
		return A_NORMAL;
	}
}

void screen_draw(struct top_view *view, struct top_model *top)
{
	int rows = getmaxy(stdscr), columns = getmaxx(stdscr), i;
	struct top_line *lines;

	if (rows < 1 || columns < 1)
		return;
	lines = mem_zalloc((size_t)rows * sizeof(*lines));
	top_view_draw(view, top, (size_t)rows, (size_t)columns, lines);
	erase();
	for (i = 0; i < rows; i++) {
		attrset((int)look_of(lines[i].look));
		mvaddstr(i, 0, lines[i].text);
	}
	attrset(A_NORMAL);
	refresh();
	free(lines);
}

static enum top_key key_of(int c)
{
	switch (c) {
	case 'q': case 'Q':		return TOP_KEY_QUIT;
	case KEY_UP: case 'k':		return TOP_KEY_UP;
	case KEY_DOWN: case 'j':	return TOP_KEY_DOWN;
	case KEY_PPAGE:			return TOP_KEY_PAGE_UP;
	case KEY_NPAGE:			return TOP_KEY_PAGE_DOWN;
	case KEY_HOME: case 'g':	return TOP_KEY_HOME;
	case KEY_END: case 'G':		return TOP_KEY_END;
	case '\t': case KEY_RIGHT:	return TOP_KEY_NEXT_PANE;
	case SHIFT_TAB: case KEY_LEFT:	return TOP_KEY_PREVIOUS_PANE;
	case 's':			return TOP_KEY_SORT;
	case 'r':			return TOP_KEY_REVERSE;
	case 'p': case ' ':		return TOP_KEY_PAUSE;
	case 'h': case '?': case KEY_F(1): return TOP_KEY_HELP;
	case '+':			return TOP_KEY_FASTER;
	case '-':			return TOP_KEY_SLOWER;
	case KEY_RESIZE:		return TOP_KEY_NONE;
	default:			return TOP_KEY_OTHER;
	}
}

bool screen_key(enum top_key *ret)
{
	int c = getch();

	*ret = c == ERR ? TOP_KEY_NONE : key_of(c);
	return c != ERR;
}
