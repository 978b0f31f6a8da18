// SPDX-License-Identifier: GPL-2.0-or-later
/* Which watches there are, and on which VMs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_files.h"
#include "log.h"
#include "util.h"
#include "watcher.h"

#define NO_MATCH	"the VM does not match any more"
#define NO_WATCH	"the watch was taken away"

struct watch *watches_find(struct watcher *w, const char *name)
{
	struct watch *watch;

	LIST_FOREACH(watch, &w->watches, link)
		if (!strcmp(watch->config->name, name))
			return watch;
	return NULL;
}

static void watch_free(struct watch *watch)
{
	LIST_REMOVE(watch, link);
	bus_watch_remove(watch);
	watch_config_unref(watch->config);
	watch_counts_unref(watch->counts);
	free(watch);
}

static int watch_add(struct watcher *w, struct watch_config *config)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	LIST_INSERT_HEAD(&w->watches, watch, link);
	watch->watcher = w;
	watch->config = watch_config_ref(config);
	watch->counts = watch_counts_new();
	r = watch->counts ? bus_watch_add(watch) : -ENOMEM;
	if (r < 0)
		watch_free(watch);
	return r;
}

static bool is_named(const struct watch *watch,
		     struct watch_config *const *configs, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(configs[i]->name, watch->config->name))
			return true;
	return false;
}

static void drop_others(struct watcher *w, struct watch_config *const *configs,
			size_t nr)
{
	struct watch *watch, *next;

	for (watch = LIST_FIRST(&w->watches); watch; watch = next) {
		next = LIST_NEXT(watch, link);
		if (!is_named(watch, configs, nr))
			watch_free(watch);
	}
}

static int take_config(struct watcher *w, struct watch_config *config)
{
	struct watch *watch = watches_find(w, config->name);

	/* It stays as it was, if there was one. */
	if (config->unreadable)
		return 0;
	if (!watch)
		return watch_add(w, config);
	if (watch_config_equal(watch->config, config))
		return 0;
	watch_config_unref(watch->config);
	watch->config = watch_config_ref(config);
	return 0;
}

int watches_load(struct watcher *w)
{
	struct watch_config **configs;
	size_t i, nr;
	char **dirs;
	int r;

	dirs = config_subdirs(w->config_dirs, "watches.d");
	if (!dirs)
		return -ENOMEM;
	r = watch_configs_load((const char *const *)dirs, &w->defaults,
			       watcher_config_problem, w, &configs, &nr);
	strv_free(dirs);
	if (r < 0)
		return r;
	drop_others(w, configs, nr);
	for (i = 0; i < nr; i++) {
		r = take_config(w, configs[i]);
		if (r < 0)
			log_errno(r, "watch %s", configs[i]->name);
	}
	watch_configs_free(configs, nr);
	return 0;
}

void watches_free(struct watcher *w)
{
	while (!LIST_EMPTY(&w->watches))
		watch_free(LIST_FIRST(&w->watches));
}

static bool matches(const struct watch *watch, const struct vm *vm)
{
	const struct watch_subject subject = {
		.machine = vm->machine,
		.qemu_name = vm->qemu_name,
		.cgroup = vm->cgroup,
		.uid = vm->uid,
	};

	return !vm->gone && watch_match(&watch->config->match, &subject);
}

/* A place for each watch, and for each session that there is. */
static int want(struct guest_orders *orders, const char *name,
		const struct watch *watch, const char *why)
{
	struct wanted *wanted = &orders->wanted[orders->nr_wanted];

	*wanted = (struct wanted) {
		.name = strdup(name),
		.config = watch ? watch_config_ref(watch->config) : NULL,
		.counts = watch ? watch_counts_ref(watch->counts) : NULL,
		.why = why,
	};
	orders->nr_wanted++;
	return wanted->name ? 0 : -ENOMEM;
}

static bool is_wanted(const struct guest_orders *orders, const char *name)
{
	size_t i;

	for (i = 0; i < orders->nr_wanted; i++)
		if (!strcmp(orders->wanted[i].name, name))
			return true;
	return false;
}

struct ending {
	struct vm *vm;
	struct guest_orders *orders;
	size_t max;
};

static int add_place(const struct report *report, void *userdata)
{
	size_t *nr = userdata;

	(void)report;
	(*nr)++;
	return 0;
}

/* A session that goes on until it is told why it ends. */
static int end_unwanted(const struct report *report, void *userdata)
{
	struct ending *ending = userdata;

	if (is_wanted(ending->orders, report->name) ||
	    ending->orders->nr_wanted == ending->max)
		return 0;
	return want(ending->orders, report->name, NULL,
		    watches_find(ending->vm->watcher, report->name) ? NO_MATCH :
								    NO_WATCH);
}

static int fill_wanted(struct vm *vm, struct guest_orders *orders)
{
	struct ending ending = { .vm = vm, .orders = orders };
	const struct watch *watch;
	size_t max = 0;
	int r = 0;

	LIST_FOREACH(watch, &vm->watcher->watches, link)
		max++;
	if (vm->guest)
		(void)guest_each_report(vm->guest, add_place, &max);
	ending.max = max;
	orders->wanted = calloc(max + 1, sizeof(*orders->wanted));
	if (!orders->wanted)
		return -ENOMEM;
	LIST_FOREACH(watch, &vm->watcher->watches, link)
		if (r >= 0 && matches(watch, vm))
			r = want(orders, watch->config->name, watch, NULL);
	if (r >= 0 && vm->guest)
		r = guest_each_report(vm->guest, end_unwanted, &ending);
	return r;
}

static int give_orders(struct vm *vm, enum guest_retry retry)
{
	struct guest_orders orders = {
		.uid = vm->uid, .vm_fd = vm->fd, .present = !vm->gone,
		.retry = retry,
	};
	int r;

	r = string_set(&orders.vm_name, vm->name);
	if (r >= 0)
		r = fill_wanted(vm, &orders);
	if (r >= 0 && !vm->guest && orders.nr_wanted) {
		r = guest_new(&vm->watcher->shared, vm->pid, &vm->guest);
		if (r >= 0)
			LIST_INSERT_HEAD(&vm->watcher->guests, vm->guest, link);
	}
	if (r >= 0 && vm->guest)
		r = guest_order(vm->guest, &orders);
	guest_orders_clear(&orders);
	return r;
}

void vm_consider(struct vm *vm, enum guest_retry retry)
{
	int r = give_orders(vm, retry);

	if (r < 0)
		log_errno(r, "VM %d is not watched as it should be", vm->pid);
}

void vms_consider(struct watcher *w, enum guest_retry retry)
{
	struct vm *vm;

	LIST_FOREACH(vm, &w->vms, link)
		vm_consider(vm, retry);
}

/* What is in the rings is logged, and the guest ends by itself. */
void vm_give_up(struct vm *vm)
{
	vm->gone = true;
	if (!vm->guest)
		return;
	vm_consider(vm, RETRY_NONE);
	vm->guest->vm_id = 0;
	vm->guest = NULL;
}

bool guest_has_vm(const struct watcher *w, const struct guest *guest)
{
	const struct vm *vm;

	LIST_FOREACH(vm, &w->vms, link)
		if (vm->guest == guest)
			return true;
	return false;
}

static void guest_stop(struct guest *guest)
{
	struct guest_orders orders = { .stop = true };

	(void)guest_order(guest, &orders);
}

void guests_check(struct watcher *w)
{
	struct guest *guest, *next;

	for (guest = LIST_FIRST(&w->guests); guest; guest = next) {
		next = LIST_NEXT(guest, link);
		guest_revive(guest);
		if (guest_has_vm(w, guest) || !guest_is_idle(guest))
			continue;
		if (guest_has_ended(guest)) {
			LIST_REMOVE(guest, link);
			guest_free(guest);
		} else {
			guest_stop(guest);
		}
	}
}

struct counting {
	unsigned int nr;
	int error;
};

static int count_waiting(const struct report *report, void *userdata)
{
	struct counting *counting = userdata;

	counting->nr += report->error == counting->error;
	return 0;
}

unsigned int guests_nr_waiting(struct watcher *w, int error)
{
	struct counting counting = { 0, error };
	struct guest *guest;

	LIST_FOREACH(guest, &w->guests, link)
		(void)guest_each_report(guest, count_waiting, &counting);
	return counting.nr;
}
