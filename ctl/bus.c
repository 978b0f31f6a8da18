// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "command.h"
#include "mem.h"

/* As long as somebody needs to type a password. */
#define CALL_TIMEOUT_US	(120 * UINT64_C(1000000))

static bool only_looks(const struct ctl *ctl)
{
	return ctl->command && ctl->command->flags & COMMAND_LOOKS;
}

int bus_open(struct ctl *ctl)
{
	int r;

	if (!ctl->bus) {
		r = sd_bus_open_system(&ctl->bus);
		if (r < 0)
			return r;
		r = sd_bus_set_method_call_timeout(ctl->bus, CALL_TIMEOUT_US);
		if (r < 0)
			return r;
	}
	/* A call would have the bus start a daemon that was stopped. */
	if (only_looks(ctl) &&
	    sd_bus_get_name_creds(ctl->bus, BUS_NAME, 0, NULL) < 0)
		return -ENOENT;
	return 0;
}

static int call(struct ctl *ctl, sd_bus_message *message, sd_bus_error *error,
		sd_bus_message **ret, const char *types, va_list args)
{
	int r = 0;

	if (types && *types)
		r = sd_bus_message_appendv(message, types, args);
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(message,
				ctl->ask_password && isatty(STDIN_FILENO));
	if (r >= 0)
		r = sd_bus_message_set_auto_start(message, !only_looks(ctl));
	if (r >= 0)
		r = sd_bus_call(ctl->bus, message, 0, error, ret);
	return r < 0 ? r : 0;
}

int bus_call(struct ctl *ctl, const char *path, const char *interface,
	     const char *method, sd_bus_error *error, sd_bus_message **ret,
	     const char *types, ...)
{
	sd_bus_message *message = NULL;
	va_list args;
	int r;

	r = bus_open(ctl);
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(ctl->bus, &message, BUS_NAME, path,
					   interface, method);
	if (r < 0)
		return r;
	va_start(args, types);
	r = call(ctl, message, error, ret, types, args);
	va_end(args);
	sd_bus_message_unref(message);
	return r;
}

int bus_get_watches(struct ctl *ctl, sd_bus_message **ret)
{
	sd_bus_message *message = NULL;
	int r;

	r = sd_bus_message_new_method_call(ctl->bus, &message, BUS_WATCHES,
					   BUS_WATCHES_PATH,
					   "org.freedesktop.DBus.ObjectManager",
					   "GetManagedObjects");
	if (r >= 0)
		r = sd_bus_message_set_auto_start(message, false);
	if (r >= 0)
		r = sd_bus_call(ctl->bus, message, 0, NULL, ret);
	sd_bus_message_unref(message);
	return r < 0 ? r : 0;
}

/* What the bus says when it has nobody of that name and can start nobody. */
static bool is_absence(const char *name)
{
	static const char prefix[] = "org.freedesktop.DBus.Error.";
	static const char *const names[] = {
		"ServiceUnknown", "NameHasNoOwner", "NoServer", "Disconnected",
		"FileNotFound", "UnixProcessIdUnknown",
	};
	size_t i;

	if (strncmp(name, prefix, sizeof(prefix) - 1))
		return false;
	name += sizeof(prefix) - 1;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "Spawn.", 6) ||
	       !strcmp(name, "TimedOut");
}

/* What sd-bus calls an errno when it gets no answer at all. */
static bool is_answer(const sd_bus_error *error)
{
	return error && error->name &&
	       strncmp(error->name, "System.Error.", 13);
}

bool bus_is_absent(int err, const sd_bus_error *error)
{
	if (is_answer(error))
		return is_absence(error->name) ||
		       !strncmp(error->name, "org.freedesktop.systemd1.", 25);
	return err == -ENOENT || err == -ECONNREFUSED || err == -ENOTCONN ||
	       err == -ENOMEDIUM || err == -EHOSTDOWN;
}

static enum exit_code code_of(const sd_bus_error *error)
{
	static const struct {
		const char *name;
		enum exit_code code;
	} codes[] = {
		{ BUS_ERROR "NoSuchVM", EXIT_NOT_FOUND },
		{ BUS_ERROR "VmGone", EXIT_NOT_FOUND },
		{ BUS_ERROR "NotPermitted", EXIT_PERMISSION },
		{ BUS_ERROR "Confidential", EXIT_UNSUPPORTED },
		{ BUS_ERROR "NoModule", EXIT_UNSUPPORTED },
		{ BUS_ERROR "InvalidArgument", EXIT_USAGE },
		{ SD_BUS_ERROR_ACCESS_DENIED, EXIT_PERMISSION },
		{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
		  EXIT_PERMISSION },
		{ SD_BUS_ERROR_INVALID_ARGS, EXIT_USAGE },
		{ SD_BUS_ERROR_UNKNOWN_OBJECT, EXIT_NOT_FOUND },
		{ SD_BUS_ERROR_NO_REPLY, EXIT_TIMEOUT },
		{ SD_BUS_ERROR_TIMEOUT, EXIT_TIMEOUT },
	};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (!strcmp(error->name, codes[i].name))
			return codes[i].code;
	return EXIT_FAILED;
}

static const char *hint_of(const sd_bus_error *error, enum exit_code code)
{
	if (!strcmp(error->name, BUS_ERROR "Ambiguous"))
		return "; name it by PID or PID:FD, as `wtrackctl list` shows them";
	switch (code) {
	case EXIT_NOT_FOUND:
		return "; `wtrackctl list` shows those that run";
	case EXIT_PERMISSION:
		return "; wtrackd.conf(5) tells who may do what";
	case EXIT_UNSUPPORTED:
		return "; `wtrackctl doctor` tells what is missing";
	case EXIT_TIMEOUT:
		return "; `systemctl status wtrackd` tells what it does";
	default:
		return "";
	}
}

int bus_fail(struct ctl *ctl, int err, sd_bus_error *error, const char *what)
{
	const char *colon = what ? ": " : "";
	enum exit_code code;

	what = what ? what : "";
	if (bus_is_absent(err, error)) {
		code = ctl_fail(ctl, EXIT_UNSUPPORTED, "%s%swtrackd does not "
				"run; start it with `systemctl start wtrackd`",
				what, colon);
	} else if (is_answer(error)) {
		code = code_of(error);
		ctl_fail(ctl, code, "%s%s%s%s", what, colon, error->message ?
			 error->message : error->name, hint_of(error, code));
	} else {
		code = exit_code_of(err);
		ctl_fail(ctl, code, "%s%sno answer from wtrackd: %s; `systemctl "
			 "status wtrackd` tells what it does", what, colon,
			 strerror(-err));
	}
	sd_bus_error_free(error);
	return code;
}

int bus_fail_answer(struct ctl *ctl, int err)
{
	return ctl_fail(ctl, EXIT_FAILED, "wtrackd's answer makes no sense "
			"(%s); use versions that match: `wtrackctl version`",
			strerror(-err));
}

int bus_find_vm(struct ctl *ctl, const char *vm, char **ret_path)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *path;
	int r;

	r = bus_call(ctl, BUS_PATH, BUS_MANAGER, "FindVM", &error, &reply,
		     "s", vm);
	if (r < 0)
		return bus_fail(ctl, r, &error, NULL);
	r = sd_bus_message_read(reply, "o", &path);
	if (r >= 0)
		*ret_path = mem_strdup(path);
	sd_bus_message_unref(reply);
	return r < 0 ? bus_fail_answer(ctl, r) : 0;
}
