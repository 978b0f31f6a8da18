// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "json.h"
#include "sessions.h"

static void print_field(const char *name, const char *value)
{
	char *safe = text_escape(value);

	printf("%s%9s%s  %s\n", term_colour(COLOUR_BOLD), name,
	       term_colour(COLOUR_NONE), *safe ? safe : "-");
	free(safe);
}

static void print_vm(const struct vm *vm)
{
	char buf[128], user[64];

	snprintf(buf, sizeof(buf), "%d, descriptor %d%s", vm->pid, vm->fd,
		 vm->gone ? ", gone" : "");
	print_field("process", buf);
	print_field("program", vm->comm);
	print_field("user", text_user(vm->uid, user, sizeof(user)));
	print_field("name", vm->name);
	print_field("machine", vm->machine);
	print_field("QEMU name", vm->qemu_name);
	print_field("cgroup", vm->cgroup);
	snprintf(buf, sizeof(buf), "%llu in %zu session%s",
		 (unsigned long long)vm->pages, vm->nr_sessions,
		 vm->nr_sessions == 1 ? "" : "s");
	print_field("pages", buf);
	snprintf(buf, sizeof(buf), "%llu", (unsigned long long)vm->writes);
	print_field("writes", buf);
	print_field("memory", text_bytes(vm->memory_bytes, buf, sizeof(buf)));
}

static void print_text(const struct ctl *ctl, const struct model *model,
		       const struct vm *vm)
{
	print_vm(vm);
	if (!vm->nr_sessions)
		return;
	putchar('\n');
	sessions_print(ctl, model, vm->path);
}

static void print_json(const struct ctl *ctl, const struct model *model,
		       const struct vm *vm)
{
	struct json_object *obj = json_document(ctl);

	json_object_object_add(obj, "vm", vm_to_json(vm));
	sessions_to_json(obj, model, vm->path);
	json_print(ctl, obj);
}

static int show(struct ctl *ctl, const struct model *model,
		const char *vm_path)
{
	const struct vm *vm = model_vm(model, vm_path);

	if (!vm)
		return ctl_fail(ctl, EXIT_NOT_FOUND, "VM %s: it ended just now; "
				"`wtrackctl list` shows those that run",
				args_vm(&ctl->args));
	if (ctl->json != JSON_OFF)
		print_json(ctl, model, vm);
	else
		print_text(ctl, model, vm);
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

const struct command command_show = {
	.name = "show",
	.arguments = "VM",
	.summary = "Show one VM and its sessions",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_NEEDS_VM | COMMAND_LOOKS,
	.run = run,
};
