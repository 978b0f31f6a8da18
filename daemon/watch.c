// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "manager.h"
#include "watch.h"

struct watches {
	struct manager *manager;
};

int watches_new(struct manager *m, struct watches **ret)
{
	struct watches *watches = calloc(1, sizeof(*watches));

	if (!watches)
		return -ENOMEM;
	watches->manager = m;
	*ret = watches;
	return 0;
}

void watches_free(struct watches *watches)
{
	free(watches);
}

void watches_reload(struct watches *watches)
{
	(void)watches;
}

void watches_scanned(struct watches *watches)
{
	(void)watches;
}

void watches_vm_added(struct watches *watches, struct vm *vm)
{
	(void)watches;
	(void)vm;
}

void watches_vm_changed(struct watches *watches, struct vm *vm)
{
	(void)watches;
	(void)vm;
}

void watches_vm_removed(struct watches *watches, struct vm *vm)
{
	(void)watches;
	(void)vm;
}

void watches_module_changed(struct watches *watches)
{
	(void)watches;
}

struct watch *watches_first(struct watches *watches)
{
	(void)watches;
	return NULL;
}

struct watch *watches_next(struct watch *watch)
{
	(void)watch;
	return NULL;
}

const char *watch_name(const struct watch *watch)
{
	(void)watch;
	return "";
}

const char *watch_file(const struct watch *watch)
{
	(void)watch;
	return "";
}

uint64_t watch_events(const struct watch *watch)
{
	(void)watch;
	return 0;
}

uint64_t watch_suppressed(const struct watch *watch)
{
	(void)watch;
	return 0;
}

bool watch_active(const struct watch *watch)
{
	(void)watch;
	return false;
}

int watch_each_vm(const struct watch *watch,
		  int (*fn)(struct vm *vm, void *userdata), void *userdata)
{
	(void)watch;
	(void)fn;
	(void)userdata;
	return 0;
}
