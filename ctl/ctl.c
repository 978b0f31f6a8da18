// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "json.h"
#include "mem.h"
#include "text.h"

const char *exit_code_name(enum exit_code code)
{
	static const char *const names[] = {
		[EXIT_OK] = "ok",
		[EXIT_FAILED] = "failed",
		[EXIT_USAGE] = "usage",
		[EXIT_NOT_FOUND] = "not-found",
		[EXIT_PERMISSION] = "permission",
		[EXIT_UNSUPPORTED] = "unsupported",
		[EXIT_TIMEOUT] = "timeout",
		[EXIT_LOSSES] = "losses",
	};

	return names[code];
}

enum exit_code exit_code_of(int err)
{
	switch (err < 0 ? -err : err) {
	case 0:
		return EXIT_OK;
	case EACCES:
	case EPERM:
		return EXIT_PERMISSION;
	case ESRCH:
	case EBADF:
	case EBADFD:
	case ENOENT:
		return EXIT_NOT_FOUND;
	case ENODEV:
	case ENOSYS:
	case EOPNOTSUPP:
	case EPROTO:
		return EXIT_UNSUPPORTED;
	case ETIMEDOUT:
		return EXIT_TIMEOUT;
	default:
		return EXIT_FAILED;
	}
}

static void print_error(const char *text)
{
	char *safe = text_escape(text);

	fflush(stdout);
	fprintf(stderr, "wtrackctl: %s\n", safe);
	free(safe);
}

static void print_json_error(const struct ctl *ctl, enum exit_code code,
			     const char *text)
{
	bool stream = ctl->command && ctl->command->flags & COMMAND_STREAM;
	struct json_object *obj, *error = json_object_new_object();

	json_string(error, "code", exit_code_name(code));
	json_string(error, "message", text);
	obj = stream ? json_line("error") : json_document(ctl);
	if (stream)
		json_string(obj, "command", ctl->command->name);
	json_object_object_add(obj, "error", error);
	json_print(ctl, obj);
}

int ctl_fail(struct ctl *ctl, enum exit_code code, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = mem_strdup("no memory");
	va_end(args);
	print_error(text);
	if (ctl->json != JSON_OFF)
		print_json_error(ctl, code, text);
	ctl->failed = true;
	free(text);
	return code;
}

void ctl_note(const struct ctl *ctl, const char *format, ...)
{
	va_list args;
	char *text, *safe;

	if (ctl->quiet || ctl->json != JSON_OFF)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = mem_strdup("");
	va_end(args);
	safe = text_escape(text);
	fflush(stdout);
	fprintf(stderr, "%s\n", safe);
	free(safe);
	free(text);
}
