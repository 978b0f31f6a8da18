// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "command.h"
#include "doctor.h"
#include "json.h"
#include "mem.h"
#include "sysfile.h"
#include "text.h"
#include "version.h"

static void (*const all_checks[])(struct doctor *doctor) = {
	doctor_kernel,
	doctor_kvm,
	doctor_module,
	doctor_secure_boot,
	doctor_interface,
	doctor_device,
	doctor_daemon,
	doctor_ptrace,
	doctor_vms,
	doctor_emulator,
};

static const char *const state_names[] = {
	[CHECK_OK] = "ok",
	[CHECK_WARN] = "warn",
	[CHECK_FAIL] = "fail",
};

struct check *doctor_add(struct doctor *doctor, const char *name,
			 enum check_state state, const char *format, ...)
{
	struct check *check = &doctor->checks[doctor->nr_checks++];
	va_list args;

	*check = (struct check) {
		.name = name,
		.state = state,
		.code = state == CHECK_OK ? EXIT_OK : EXIT_FAILED,
		.details = json_object_new_object(),
	};
	va_start(args, format);
	if (vasprintf(&check->text, format, args) < 0)
		check->text = mem_strdup("");
	va_end(args);
	return check;
}

void check_hint(struct check *check, enum exit_code code, const char *format,
		...)
{
	va_list args;

	check->code = code;
	va_start(args, format);
	if (vasprintf(&check->hint, format, args) < 0)
		check->hint = NULL;
	va_end(args);
}

static void print_line(const char *before, const char *text)
{
	char *safe = text_escape(text);

	printf("%s%s\n", before, safe);
	free(safe);
}

static void print_check(const struct check *check)
{
	static const enum colour colours[] = {
		[CHECK_OK] = COLOUR_GREEN,
		[CHECK_WARN] = COLOUR_YELLOW,
		[CHECK_FAIL] = COLOUR_RED,
	};

	printf("%s%-4s%s  %-12s", term_colour(colours[check->state]),
	       state_names[check->state], term_colour(COLOUR_NONE),
	       check->name);
	print_line("", check->text);
	if (check->hint)
		print_line("                  -> ", check->hint);
}

static const struct check *worst(const struct doctor *doctor)
{
	const struct check *found = &doctor->checks[0];
	size_t i;

	for (i = 1; i < doctor->nr_checks; i++)
		if (doctor->checks[i].state > found->state)
			found = &doctor->checks[i];
	return found;
}

static void print_text(const struct doctor *doctor)
{
	size_t i;

	for (i = 0; i < doctor->nr_checks; i++)
		if (!doctor->ctl->quiet || doctor->checks[i].state != CHECK_OK)
			print_check(&doctor->checks[i]);
}

static struct json_object *check_to_json(const struct check *check)
{
	struct json_object *obj = json_object_new_object();

	json_string(obj, "name", check->name);
	json_string(obj, "state", state_names[check->state]);
	json_string(obj, "text", check->text);
	json_object_object_add(obj, "hint", check->hint ?
			       json_object_new_string(check->hint) : NULL);
	json_object_object_add(obj, "details",
			       json_object_get(check->details));
	return obj;
}

static void print_json(const struct doctor *doctor)
{
	struct json_object *obj = json_document(doctor->ctl);
	struct json_object *array;
	size_t i;

	json_string(obj, "worst", state_names[worst(doctor)->state]);
	array = json_array(obj, "checks");
	for (i = 0; i < doctor->nr_checks; i++)
		json_object_array_add(array, check_to_json(&doctor->checks[i]));
	json_print(doctor->ctl, obj);
}

/* What several checks want to know. */
static void look_around(struct doctor *doctor)
{
	struct utsname name;

	if (!uname(&name))
		snprintf(doctor->release, sizeof(doctor->release), "%s",
			 name.release);
	doctor->loaded = sysfile_exists("/sys/module/kvm_wtrack");
	doctor->info_result = wtrack_get_info(&doctor->info,
					      sizeof(doctor->info));
	doctor->daemon = version_of_daemon(doctor->ctl,
					   &doctor->daemon_version);
	doctor->signed_file = -1;
}

static void clean_up(struct doctor *doctor)
{
	size_t i;

	for (i = 0; i < doctor->nr_checks; i++) {
		free(doctor->checks[i].text);
		free(doctor->checks[i].hint);
		json_object_put(doctor->checks[i].details);
	}
	free(doctor->daemon_version);
}

static int run(struct ctl *ctl)
{
	struct doctor doctor = { .ctl = ctl };
	size_t i;
	int code;

	look_around(&doctor);
	for (i = 0; i < sizeof(all_checks) / sizeof(all_checks[0]); i++)
		all_checks[i](&doctor);
	if (ctl->json != JSON_OFF)
		print_json(&doctor);
	else
		print_text(&doctor);
	code = worst(&doctor)->code;
	clean_up(&doctor);
	return code;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "Say what works on this host, what does not, and what to do",
	.flags = COMMAND_LOOKS,
	.run = run,
};
