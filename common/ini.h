/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files in /etc/wtrackd: sections, keys, values, comments that begin with
 * # or ;. A line that ends with a backslash goes on in the next. Nothing in a
 * file stops the daemon: what makes no sense is reported and left out.
 */
#ifndef COMMON_INI_H
#define COMMON_INI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INI_MAX_BYTES	(1024 * 1024)	/* of a file */
#define INI_MAX_LINE	4096

struct ini_entry {
	const char *file;
	unsigned int line;	/* from 1 */
	const char *section;	/* never NULL */
	const char *key;
	const char *value;	/* may be empty */
};

/* Where complaints go. line is 0 when the whole file is meant. */
typedef void (*ini_report_fn)(void *userdata, const char *file,
			      unsigned int line, const char *message);

struct ini_reader {
	/*
	 * For each key. Returns 0; or a negative errno with which reading
	 * stops, which is for no memory and the like, not for bad values.
	 */
	int (*entry)(const struct ini_reader *reader,
		     const struct ini_entry *entry);
	ini_report_fn report;
	void *userdata;
};

/* A complaint about an entry, in the words of printf(3). */
__attribute__((format(printf, 3, 4)))
void ini_report(const struct ini_reader *reader, const struct ini_entry *entry,
		const char *format, ...);

/* file is the name for reports. */
int ini_parse(const struct ini_reader *reader, const char *file,
	      const char *text, size_t size);
/*
 * -ENOENT when there is none. What is there and cannot be read is another error,
 * and reported: it is too long, no regular file, or a link to nothing.
 */
int ini_read(const struct ini_reader *reader, const char *path);

/*
 * The *.conf files of directories, sorted by name. A file hides those of the
 * same name in later directories; an empty one, or a link to /dev/null, hides
 * them as well and is not returned. dirs ends with NULL; directories that do
 * not exist count as empty. One that cannot be read is an error, and reported.
 */
int ini_list(const char *const *dirs, ini_report_fn report, void *userdata,
	     char ***ret_paths);

#endif
