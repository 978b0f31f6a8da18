// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "polkit.h"
#include "util.h"

#define NAME		"org.freedesktop.PolicyKit1"
#define PATH		"/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE	"org.freedesktop.PolicyKit1.Authority"

#define FLAG_INTERACTIVE	1
/* Who has to type a password has that long. */
#define TIMEOUT_USEC	(UINT64_C(5) * 60 * 1000000)

struct polkit_check {
	sd_bus *bus;
	sd_bus_slot *slot;
	polkit_fn fn;
	void *userdata;
	char id[32];		/* for cancelling */
};

static void polkit_free(struct polkit_check *check)
{
	sd_bus_slot_unref(check->slot);
	sd_bus_unref(check->bus);
	free(check);
}

static enum polkit_answer read_answer(sd_bus_message *reply)
{
	int yes, challenge, r;

	if (sd_bus_message_is_method_error(reply, NULL)) {
		if (log_may(LOG_KIND_OTHER, (uid_t)-1))
			log_warning("polkit: %s",
				    sd_bus_message_get_error(reply)->message);
		return POLKIT_FAILED;
	}
	r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
	if (r >= 0)
		r = sd_bus_message_read(reply, "bb", &yes, &challenge);
	if (r < 0)
		return POLKIT_FAILED;
	return yes ? POLKIT_YES : challenge ? POLKIT_CHALLENGE : POLKIT_NO;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct polkit_check *check = userdata;
	polkit_fn fn = check->fn;
	void *fn_userdata = check->userdata;

	(void)error;
	polkit_free(check);
	fn(fn_userdata, read_answer(reply));
	return 0;
}

static int append_details(sd_bus_message *m, const char *const *details)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "{ss}");
	for (; r >= 0 && details && *details; details += 2)
		r = sd_bus_message_append(m, "{ss}", details[0], details[1]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int make_call(struct polkit_check *check, sd_bus_message *call,
		     const char *action, const char *const *details,
		     sd_bus_message **ret)
{
	bool interactive =
		sd_bus_message_get_allow_interactive_authorization(call) > 0;
	int r;

	r = sd_bus_message_new_method_call(check->bus, ret, NAME, PATH,
					   INTERFACE, "CheckAuthorization");
	if (r >= 0)
		r = sd_bus_message_append(*ret, "(sa{sv})s", "system-bus-name",
					  1, "name", "s",
					  sd_bus_message_get_sender(call),
					  action);
	if (r >= 0)
		r = append_details(*ret, details);
	if (r >= 0)
		r = sd_bus_message_append(*ret, "us", interactive ?
					  FLAG_INTERACTIVE : 0, check->id);
	return r;
}

int polkit_check(sd_bus_message *call, const char *action,
		 const char *const *details, polkit_fn fn, void *userdata,
		 struct polkit_check **ret)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *question = NULL;
	struct polkit_check *check = calloc(1, sizeof(*check));
	static uint64_t number;
	int r;

	if (!check)
		return -ENOMEM;
	check->bus = sd_bus_ref(sd_bus_message_get_bus(call));
	check->fn = fn;
	check->userdata = userdata;
	snprintf(check->id, sizeof(check->id), "%ju", (uintmax_t)++number);
	r = make_call(check, call, action, details, &question);
	if (r >= 0)
		r = sd_bus_call_async(check->bus, &check->slot, question,
				      on_answer, check, TIMEOUT_USEC);
	if (r < 0) {
		polkit_free(check);
		return r;
	}
	*ret = check;
	return 0;
}

void polkit_cancel(struct polkit_check *check)
{
	if (!check)
		return;
	(void)sd_bus_call_method_async(check->bus, NULL, NAME, PATH, INTERFACE,
				       "CancelCheckAuthorization", NULL, NULL,
				       "s", check->id);
	polkit_free(check);
}
