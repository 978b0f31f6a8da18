// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "open_options.h"
#include "util.h"

#define MAX_VM_TEXT	255

static int invalid(sd_bus_error *error, const char *text)
{
	return sd_bus_error_set(error, ERROR_INVALID_ARGUMENT, text);
}

static int read_value(sd_bus_message *m, const char *name,
		      struct open_options *options)
{
	int attach, r;

	if (!strcmp(name, "max_pages"))
		return sd_bus_message_read(m, "t", &options->max_pages);
	if (!strcmp(name, "max_records"))
		return sd_bus_message_read(m, "u", &options->max_records);
	r = sd_bus_message_read(m, "b", &attach);
	options->attach = r >= 0 && attach;
	return r;
}

static const struct option {
	const char *name, *type;
} known_options[] = {
	{ "attach", "b" },
	{ "max_pages", "t" },
	{ "max_records", "u" },
};

/* -1 when there is no such option. */
static int find_option(const char *name)
{
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(known_options); i++)
		if (!strcmp(known_options[i].name, name))
			return i;
	return -1;
}

/*
 * @given has a bit for each option that was there already. None may come twice:
 * a message of the bus has room for a million.
 */
static int read_option(sd_bus_message *m, struct open_options *options,
		       unsigned int *given, sd_bus_error *error)
{
	const char *name, *contents, *type;
	int i, r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	i = find_option(name);
	if (i < 0)
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "unknown option %.100s",
					 strlen(name) <= 100 ? name : "");
	if (*given & 1U << i)
		return sd_bus_error_setf(error, ERROR_INVALID_ARGUMENT,
					 "option %s is given twice", name);
	*given |= 1U << i;
	type = known_options[i].type;
	r = sd_bus_message_peek_type(m, NULL, &contents);
	if (r >= 0 && strcmp(contents, type))
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "option %s has type %s", name, type);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'v', type);
	if (r >= 0)
		r = read_value(m, name, options);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int open_options_read_vm(struct request *request, sd_bus_message *call,
			 sd_bus_error *error)
{
	const char *vm;
	int r;

	r = sd_bus_message_read(call, "s", &vm);
	if (r < 0)
		return r;
	if (!*vm || strlen(vm) > MAX_VM_TEXT)
		return invalid(error, "a VM is named by its process id, "
				      "machine name or QEMU name");
	return string_set(&request->vm_text, vm);
}

int open_options_read(struct request *request, sd_bus_message *call,
		      sd_bus_error *error)
{
	unsigned int given = 0;
	int r;

	r = open_options_read_vm(request, call, error);
	if (r >= 0)
		r = sd_bus_message_enter_container(call, 'a', "{sv}");
	while (r >= 0 &&
	       (r = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
		r = read_option(call, &request->options, &given, error);
		if (r >= 0)
			r = sd_bus_message_exit_container(call);
	}
	return r;
}
