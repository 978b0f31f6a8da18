/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: each check looks at one thing and says what to do. */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/info.h>

#include "ctl.h"

struct json_object;

enum check_state { CHECK_OK, CHECK_WARN, CHECK_FAIL };

/**
 * struct check - what was found
 * @name: its word in JSON
 * @state: how it is
 * @code: how doctor ends if this is the worst
 * @text: one line
 * @hint: what to do, NULL when there is nothing
 * @details: facts for programs
 */
struct check {
	const char *name;
	enum check_state state;
	enum exit_code code;
	char *text;
	char *hint;
	struct json_object *details;
};

/* Of the daemon. */
#define MAX_PROBLEMS	8
#define MAX_CHECKS	(16 + 2 * MAX_PROBLEMS)

/**
 * struct doctor - a visit
 * @ctl: the run
 * @checks: what was found so far
 * @nr_checks: how much
 * @release: of the running kernel
 * @info_result: what wtrack_get_info() returned
 * @info: if that is 0
 * @loaded: the module is
 * @daemon: 0 if it answers, -ESRCH if there is none, or another errno
 * @daemon_version: what it says, or NULL
 * @shadow: KVM uses shadow paging
 * @signed_file: the module's file has a signature; -1 when not known
 */
struct doctor {
	struct ctl *ctl;
	struct check checks[MAX_CHECKS];
	size_t nr_checks;
	char release[128];
	int info_result;
	struct wtrack_info info;
	bool loaded;
	int daemon;
	char *daemon_version;
	bool shadow;
	int signed_file;
};

/* A check, its text as of printf(). */
struct check *doctor_add(struct doctor *doctor, const char *name,
			 enum check_state state, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* What to do about it, and how the tool ends if it is the worst. */
void check_hint(struct check *check, enum exit_code code, const char *format,
		...) __attribute__((format(printf, 3, 4)));

/* In the order in which they are shown. */
void doctor_kernel(struct doctor *doctor);
void doctor_kvm(struct doctor *doctor);
void doctor_module(struct doctor *doctor);
void doctor_secure_boot(struct doctor *doctor);
void doctor_interface(struct doctor *doctor);
void doctor_device(struct doctor *doctor);
void doctor_daemon(struct doctor *doctor);
void doctor_ptrace(struct doctor *doctor);
void doctor_vms(struct doctor *doctor);
void doctor_emulator(struct doctor *doctor);

#endif
