// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ini.h"
#include "util.h"

struct parser {
	const struct ini_reader *reader;
	const char *file;
	const char *at, *end;		/* what is left of the text */
	unsigned int line;		/* that at is on */
	unsigned int first_line;	/* of the logical line */
	char section[128];
	bool skip_section;
	char text[INI_MAX_LINE + 1];	/* the logical line */
};

static void report(const struct ini_reader *reader, const char *file,
		   unsigned int line, const char *message)
{
	if (reader->report)
		reader->report(reader->userdata, file, line, message);
}

void ini_report(const struct ini_reader *reader, const struct ini_entry *entry,
		const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report(reader, entry->file, entry->line, message);
}

static char *strip(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static bool is_comment(const char *text, size_t length)
{
	while (length && isspace((unsigned char)*text)) {
		text++;
		length--;
	}
	return length && (*text == '#' || *text == ';');
}

/* Appends to the logical line what fits; the rest of a longer one is lost. */
static size_t append(struct parser *p, size_t used, const char *text,
		     size_t length)
{
	if (length > INI_MAX_LINE - used)
		length = INI_MAX_LINE - used;
	memcpy(p->text + used, text, length);
	return used + length;
}

/* One line of the file, without its end. */
static const char *next_line(struct parser *p, size_t *ret_length)
{
	const char *start = p->at;
	const char *end = memchr(start, '\n', (size_t)(p->end - start));

	p->at = end ? end + 1 : p->end;
	p->line++;
	if (!end)
		end = p->end;
	if (end > start && end[-1] == '\r')
		end--;
	*ret_length = (size_t)(end - start);
	return start;
}

enum line { LINE_END, LINE_GOOD, LINE_BAD };

/* A logical line into p->text. Comments inside of one are left out. */
static enum line read_line(struct parser *p)
{
	size_t used = 0, total = 0, length;
	bool more = true, bad = false;
	const char *line;

	if (p->at == p->end)
		return LINE_END;
	p->first_line = p->line + 1;
	while (more && p->at < p->end) {
		line = next_line(p, &length);
		if (is_comment(line, length)) {
			more = used > 0;
			continue;
		}
		bad |= memchr(line, '\0', length) != NULL;
		more = length && line[length - 1] == '\\';
		total += length;
		used = append(p, used, line, length - more);
		if (more)
			used = append(p, used, " ", 1);
	}
	p->text[used] = '\0';
	if (bad)
		report(p->reader, p->file, p->first_line,
		       "a null byte: line left out");
	else if (total > INI_MAX_LINE)
		report(p->reader, p->file, p->first_line,
		       "too long: line left out");
	return bad || total > INI_MAX_LINE ? LINE_BAD : LINE_GOOD;
}

static void enter_section(struct parser *p, char *text)
{
	size_t length = strlen(text);

	p->skip_section = true;
	if (length < 3 || text[length - 1] != ']' ||
	    length - 2 >= sizeof(p->section)) {
		report(p->reader, p->file, p->first_line,
		       "not a section: what follows is left out, up to the next "
		       "one");
		return;
	}
	memcpy(p->section, text + 1, length - 2);
	p->section[length - 2] = '\0';
	p->skip_section = false;
}

static int take_entry(struct parser *p, char *text)
{
	char *equals = strchr(text, '=');
	struct ini_entry entry = {
		.file = p->file,
		.line = p->first_line,
		.section = p->section,
	};

	if (p->skip_section)
		return 0;
	if (!equals || equals == text) {
		report(p->reader, p->file, p->first_line,
		       "neither a section nor KEY=VALUE: line left out");
		return 0;
	}
	if (!*p->section) {
		report(p->reader, p->file, p->first_line,
		       "outside of a section: line left out");
		return 0;
	}
	*equals = '\0';
	entry.key = strip(text);
	entry.value = strip(equals + 1);
	return p->reader->entry(p->reader, &entry);
}

int ini_parse(const struct ini_reader *reader, const char *file,
	      const char *text, size_t size)
{
	struct parser p = {
		.reader = reader,
		.file = file,
		.at = text,
		.end = text + size,
	};
	enum line line;
	int r = 0;
	char *s;

	while (r >= 0 && (line = read_line(&p)) != LINE_END) {
		s = strip(p.text);
		if (line == LINE_BAD || !*s)
			continue;
		if (*s == '[')
			enter_section(&p, s);
		else
			r = take_entry(&p, s);
	}
	return r < 0 ? r : 0;
}

/* 0 for what may be read: a regular file, or /dev/null. */
static int look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return -errno;
		/* A link whose target is missing is not meant to be nothing. */
		return lstat(path, &st) < 0 ? -ENOENT : -ENOLINK;
	}
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) &&
				       st.st_rdev == makedev(1, 3)) ?
	       0 : -ENODEV;
}

static const char *reason(int error)
{
	switch (error) {
	case -ENOLINK:
		return "it is a link to nothing";
	case -ENODEV:
		return "it is no regular file";
	default:
		return strerror(-error);
	}
}

int ini_read(const struct ini_reader *reader, const char *path)
{
	CLEANUP(free_p) char *text = NULL;
	char message[128];
	size_t size;
	int r;

	r = look_at(path);
	if (!r)
		r = read_file_at(AT_FDCWD, path, INI_MAX_BYTES + 1, &text,
				 &size);
	if (r == -ENOENT)
		return r;
	if (r < 0) {
		snprintf(message, sizeof(message), "cannot be read: %s",
			 reason(r));
		report(reader, path, 0, message);
		return r;
	}
	if (size > INI_MAX_BYTES) {
		report(reader, path, 0, "cannot be read: it is too long");
		return -EFBIG;
	}
	return ini_parse(reader, path, text, size);
}
