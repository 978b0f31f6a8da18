// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"
#include "json.h"
#include "sessions.h"

static int show(struct ctl *ctl, const struct model *model,
		const char *vm_path)
{
	struct json_object *obj;

	if (ctl->json != JSON_OFF) {
		obj = json_document(ctl);
		sessions_to_json(obj, model, vm_path);
		json_print(ctl, obj);
	} else {
		sessions_print(ctl, model, vm_path);
	}
	return EXIT_OK;
}

static int run(struct ctl *ctl)
{
	return sessions_run(ctl, show);
}

static const struct option_spec options[] = {
	OPTION_VM,
	{ 0 }
};

const struct command command_sessions = {
	.name = "sessions",
	.arguments = "[VM]",
	.summary = "List the sessions of all VMs, or of one",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_LOOKS,
	.run = run,
};
