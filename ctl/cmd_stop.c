// SPDX-License-Identifier: GPL-2.0-or-later
/* Ends sessions, whoever holds them. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "command.h"
#include "common/number.h"
#include "holders.h"
#include "json.h"
#include "sessions.h"
#include "text.h"

/* In text. */
#define MAX_HOLDERS	16

/*
 * Which sessions: of the arguments, of a VM, of a user, or all.
 *
 * @ended: how many were
 */
struct stop {
	bool all;
	bool has_uid;
	uint64_t uid;
	const char *vm_path;
	struct json_object *array;
	size_t ended;
};

static bool is_named(const struct ctl *ctl, const struct session *session)
{
	uint64_t id;
	size_t i;

	for (i = 0; i < ctl->args.nr; i++)
		if (!number_parse_decimal(ctl->args.list[i], 1, UINT64_MAX,
					  &id) && id == session->id)
			return true;
	return false;
}

static bool is_meant(const struct ctl *ctl, const struct stop *stop,
		     const struct session *session)
{
	if (ctl->args.nr)
		return is_named(ctl, session);
	return stop->all || (stop->has_uid && session->client_uid == stop->uid) ||
	       (stop->vm_path && session_is_of(session, stop->vm_path));
}

static void told(struct ctl *ctl, struct stop *stop,
		 const struct session *session)
{
	struct json_object *obj;
	char user[64];

	stop->ended++;
	if (stop->array) {
		obj = json_object_new_object();
		json_u64(obj, "id", session->id);
		json_string(obj, "kind", session->kind);
		json_u64(obj, "client_uid", session->client_uid);
		json_u64(obj, "client_pid", (uint64_t)session->client_pid);
		json_object_array_add(stop->array, obj);
	} else if (!ctl->quiet) {
		printf("Session %llu of %s (pid %d) was ended.\n",
		       (unsigned long long)session->id,
		       text_user(session->client_uid, user, sizeof(user)),
		       session->client_pid);
	}
}

/* One that was closed meanwhile has come to its end, too. */
static int end_session(struct ctl *ctl, struct stop *stop,
		       const struct session *session)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char what[64];
	int r;

	r = bus_call(ctl, session->path, BUS_SESSION, "End", &error, NULL,
		     NULL);
	if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT)) {
		sd_bus_error_free(&error);
		return 0;
	}
	if (!r) {
		told(ctl, stop, session);
		return 0;
	}
	snprintf(what, sizeof(what), "session %llu",
		 (unsigned long long)session->id);
	return bus_fail(ctl, r, &error, what);
}

/* The first that is refused ends it: the others are likely to be, too. */
static int end_all(struct ctl *ctl, struct stop *stop,
		   const struct model *model)
{
	size_t i, nr = 0;
	int r = 0;

	for (i = 0; i < model->nr_sessions && !r; i++) {
		if (!is_meant(ctl, stop, &model->sessions[i]))
			continue;
		nr++;
		r = end_session(ctl, stop, &model->sessions[i]);
	}
	if (r || nr || stop->all)
		return r;
	return ctl_fail(ctl, EXIT_NOT_FOUND, "there is no such session; "
			"`wtrackctl sessions` shows them");
}

static int read_user(struct ctl *ctl, struct stop *stop)
{
	const char *user = args_string(&ctl->args, "user", NULL);
	const struct passwd *pw;

	if (!user)
		return 0;
	stop->has_uid = true;
	if (!number_parse_decimal(user, 0, UINT32_MAX - 1, &stop->uid))
		return 0;
	pw = getpwnam(user);
	if (!pw)
		return ctl_fail(ctl, EXIT_NOT_FOUND, "--user=%s: there is no "
				"such user", user);
	stop->uid = pw->pw_uid;
	return 0;
}

static int check(struct ctl *ctl, const struct stop *stop)
{
	const char *vm = args_string(&ctl->args, "vm", NULL);
	unsigned int ways = !!ctl->args.nr + stop->all + stop->has_uid + !!vm;
	uint64_t id;
	size_t i;

	for (i = 0; i < ctl->args.nr; i++)
		if (number_parse_decimal(ctl->args.list[i], 1, UINT64_MAX, &id))
			return ctl_fail(ctl, EXIT_USAGE, "'%s' is no number of "
					"a session; `wtrackctl sessions` shows "
					"them", ctl->args.list[i]);
	if (ways == 1)
		return 0;
	return ctl_fail(ctl, EXIT_USAGE, "%s give numbers of sessions, --vm, "
			"--user or --all", ways ? "more than one choice;" :
			"which sessions?");
}

static void holders_to_json(struct json_object *obj,
			    const struct holder *holders, size_t nr)
{
	struct json_object *array = json_array(obj, "holders"), *one;
	size_t i;

	for (i = 0; i < nr; i++) {
		one = json_object_new_object();
		json_u64(one, "pid", (uint64_t)holders[i].pid);
		json_string(one, "comm", holders[i].comm);
		json_object_array_add(array, one);
	}
}

static void print_holders(const struct holder *holders, size_t nr)
{
	char *comm;
	size_t i;

	if (!nr && holders_module_uses() > 0)
		puts("The module is in use, by mappings or by descriptors that "
		     "are on their way to a process.");
	for (i = 0; i < nr && i < MAX_HOLDERS; i++) {
		comm = text_escape(holders[i].comm);
		printf("%s%s (pid %d)", i ? ", " :
		       "The module is in use until these close its device: ",
		       comm, holders[i].pid);
		free(comm);
	}
	if (nr > MAX_HOLDERS)
		printf(" and %zu more", nr - MAX_HOLDERS);
	if (nr)
		puts(".");
}

/* Who ends all sessions wants to remove the module, perhaps. */
static void tell_holders(const struct ctl *ctl, struct json_object *obj)
{
	struct holder *holders;
	size_t nr = holders_find(&holders);

	if (ctl->json != JSON_OFF)
		holders_to_json(obj, holders, nr);
	else if (!ctl->quiet)
		print_holders(holders, nr);
	free(holders);
}

static int stop_sessions(struct ctl *ctl, struct stop *stop)
{
	const char *vm = args_string(&ctl->args, "vm", NULL);
	struct json_object *obj;
	struct model model;
	char *path = NULL;
	int r = vm ? bus_find_vm(ctl, vm, &path) : 0;

	if (r)
		return r;
	stop->vm_path = path;
	r = model_load(ctl, &model);
	if (!r) {
		obj = json_document(ctl);
		if (ctl->json != JSON_OFF)
			stop->array = json_array(obj, "sessions");
		r = end_all(ctl, stop, &model);
		if (!r && !stop->array && !stop->ended && !ctl->quiet)
			puts("There was no session to end.");
		if (!r && stop->all)
			tell_holders(ctl, obj);
		if (!r && stop->array)
			json_print(ctl, json_object_get(obj));
		json_object_put(obj);
		model_free(&model);
	}
	free(path);
	return r;
}

static int run(struct ctl *ctl)
{
	struct stop stop = { .all = args_has(&ctl->args, "all") };
	int r = read_user(ctl, &stop);

	if (!r)
		r = check(ctl, &stop);
	return r ? r : stop_sessions(ctl, &stop);
}

static const struct option_spec options[] = {
	{ .name = "vm", .type = ARG_VM, .metavar = "VM",
	  .summary = "all sessions on this VM" },
	{ .name = "user", .type = ARG_STRING, .metavar = "USER",
	  .summary = "all sessions of this user" },
	{ .name = "all", .summary = "all sessions of this host" },
	{ 0 }
};

const struct command command_stop = {
	.name = "stop",
	.arguments = "[SESSION]...",
	.summary = "End sessions, whoever holds them",
	.options = options,
	.type = ARG_STRING,
	.max_args = 1024,
	.flags = COMMAND_LOOKS,
	.run = run,
};
