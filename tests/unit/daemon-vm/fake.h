/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A daemon whose bus, polkit and module are not there. */
#ifndef FAKE_H
#define FAKE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "manager.h"
#include "polkit.h"
#include "request.h"
#include "session.h"
#include "vm.h"

struct fake {
	struct manager manager;
	struct session *current;	/* whose method is called */
	uid_t caller;
	sd_bus_message_handler_t on_caller;
	void *on_caller_data;
	polkit_fn on_polkit;
	void *on_polkit_data;
	/* The newest answer. */
	char error[128];
	struct vm *found;
};

extern struct fake fake;

int fake_setup(void **state);
int fake_teardown(void **state);

/* A process of its own, which ends with fake_kill(). */
struct process *fake_process(uid_t uid, const char *qemu_name);
void fake_kill(struct process *process);
struct vm *fake_vm(struct process *process, int fd);
struct session *fake_session(struct vm *vm, uint64_t id, uid_t uid);
/* A call of the method that is meant, by this user, up to what it waits for. */
sd_bus_message *fake_call(const char *member);
void fake_caller_is(uid_t uid);
/* FindVM of this user. */
void fake_find(const char *name, uid_t uid);

#define CASE(fn) \
	cmocka_unit_test_setup_teardown(fn, fake_setup, fake_teardown)

#endif
