// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <wtrack/wtrack.h>

#include "bus.h"
#include "command.h"
#include "help.h"
#include "json.h"
#include "version.h"

static const struct {
	uint64_t bit;
	const char *name;
} features[] = {
	{ WTRACK_FEAT_FOREIGN_ATTACH, "foreign_attach" },
	{ WTRACK_FEAT_COALESCE, "coalesce" },
	{ WTRACK_FEAT_VCPU, "vcpu" },
	{ WTRACK_FEAT_RIP, "rip" },
	{ WTRACK_FEAT_RESTRICT, "restrict" },
	{ WTRACK_FEAT_LONG_WRITES, "long_writes" },
	{ WTRACK_FEAT_GUARD, "guard" },
	{ WTRACK_FEAT_BUDGET, "budget" },
	{ WTRACK_FEAT_NATIVE, "native" },
	{ WTRACK_FEAT_READ, "read" },
	{ WTRACK_FEAT_REGIONS, "regions" },
	{ WTRACK_FEAT_STICKY, "sticky" },
	{ WTRACK_FEAT_ONCE, "once" },
	{ WTRACK_FEAT_SYNC, "sync" },
	{ WTRACK_FEAT_TUNE, "tune" },
	{ WTRACK_FEAT_CONTROL, "control" },
	{ WTRACK_FEAT_MODES, "modes" },
};

#define NR_FEATURES (sizeof(features) / sizeof(features[0]))

struct json_object *version_features(uint64_t bits)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < NR_FEATURES; i++)
		if (bits & features[i].bit)
			json_object_array_add(array,
				json_object_new_string(features[i].name));
	return array;
}

const char *version_names(uint64_t bits, char *buf, size_t size)
{
	size_t i, used = 0;

	*buf = '\0';
	for (i = 0; i < NR_FEATURES && used < size; i++)
		if (bits & features[i].bit)
			used += (size_t)snprintf(buf + used, size - used, "%s%s",
						 used ? " " : "",
						 features[i].name);
	return buf;
}

uint64_t version_lacks(uint64_t bits)
{
	uint64_t all = 0;
	size_t i;

	for (i = 0; i < NR_FEATURES; i++)
		all |= features[i].bit;
	return all & ~bits;
}

int version_of_daemon(struct ctl *ctl, char **ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus_open(ctl);

	if (r >= 0)
		r = sd_bus_get_property_string(ctl->bus, BUS_NAME, BUS_PATH,
					       BUS_MANAGER, "Version", &error,
					       ret);
	if (r < 0 && bus_is_absent(r, &error))
		r = -ESRCH;
	sd_bus_error_free(&error);
	return r < 0 ? r : 0;
}

static void print_module(int result, const struct wtrack_info *info)
{
	uint64_t lacks = result ? 0 : version_lacks(info->features);
	char names[256];

	if (result)
		printf("module     %s\n", result == -EACCES ?
		       "loaded, not for this user" : result == -EPROTO ?
		       "loaded, of another version" : "not loaded");
	else
		printf("module     loaded: %s\n",
		       version_names(info->features, names, sizeof(names)));
	if (lacks)
		printf("           too old, lacks: %s\n",
		       version_names(lacks, names, sizeof(names)));
}

static void print_text(const char *daemon, int module,
		       const struct wtrack_info *info)
{
	printf("wtrackctl  %s\n", VERSION);
	printf("wtrackd    %s\n", daemon ? daemon : "does not run");
	print_module(module, info);
}

static void print_json(struct ctl *ctl, const char *daemon, int module,
		       const struct wtrack_info *info)
{
	struct json_object *obj = json_object_new_object();

	json_u64(obj, "schema", JSON_SCHEMA);
	json_string(obj, "command", "version");
	json_string(obj, "version", VERSION);
	json_object_object_add(obj, "daemon", daemon ?
			       json_object_new_string(daemon) : NULL);
	json_flag(obj, "module_loaded", !module || module == -EACCES ||
		  module == -EPROTO);
	json_object_object_add(obj, "features", module ? NULL :
			       version_features(info->features));
	json_object_object_add(obj, "lacks", module ? NULL :
			version_features(version_lacks(info->features)));
	json_print(ctl, obj);
}

/* --version asks nobody else. */
int version_show(struct ctl *ctl)
{
	struct json_object *obj;

	if (ctl->json == JSON_OFF) {
		printf("wtrackctl %s\n", VERSION);
		return EXIT_OK;
	}
	obj = json_object_new_object();
	json_u64(obj, "schema", JSON_SCHEMA);
	json_string(obj, "command", "version");
	json_string(obj, "version", VERSION);
	json_print(ctl, obj);
	return EXIT_OK;
}

static int run(struct ctl *ctl)
{
	struct wtrack_info info;
	char *daemon = NULL;
	int module = wtrack_get_info(&info, sizeof(info));

	version_of_daemon(ctl, &daemon);
	if (ctl->json != JSON_OFF)
		print_json(ctl, daemon, module, &info);
	else
		print_text(daemon, module, &info);
	free(daemon);
	return EXIT_OK;
}

const struct command command_version = {
	.name = "version",
	.arguments = "",
	.summary = "Show the versions of tool, daemon and module",
	.flags = COMMAND_LOOKS,
	.run = run,
};
