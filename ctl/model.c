// SPDX-License-Identifier: GPL-2.0-or-later
/* What the daemon knows: asked for, put in order, linked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "model_internal.h"

static int by_pid(const void *a, const void *b)
{
	const struct vm *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

static int by_id(const void *a, const void *b)
{
	const struct session *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int by_name(const void *a, const void *b)
{
	const struct watch *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const struct watch *watch_of(const struct model *model, uint64_t id)
{
	const struct watch *watch;
	size_t i;

	for (watch = model->watches;
	     watch < model->watches + model->nr_watches; watch++)
		for (i = 0; i < watch->sessions.nr; i++)
			if (watch->sessions.ids[i] == id)
				return watch;
	return NULL;
}

static void link_objects(struct model *model)
{
	size_t i, j;

	if (model->nr_vms)
		qsort(model->vms, model->nr_vms, sizeof(*model->vms), by_pid);
	if (model->nr_sessions)
		qsort(model->sessions, model->nr_sessions,
		      sizeof(*model->sessions), by_id);
	if (model->nr_watches)
		qsort(model->watches, model->nr_watches,
		      sizeof(*model->watches), by_name);
	for (i = 0; i < model->nr_sessions; i++) {
		model->sessions[i].watch = watch_of(model,
						    model->sessions[i].id);
		for (j = 0; j < model->nr_vms; j++) {
			if (strcmp(model->sessions[i].vm_path,
				   model->vms[j].path))
				continue;
			model->sessions[i].vm = &model->vms[j];
			model->vms[j].nr_sessions++;
		}
	}
}

/* Without wtrack-watch there are none. */
static int load_watches(struct ctl *ctl, struct model *model)
{
	sd_bus_message *reply = NULL;
	int r;

	if (bus_get_watches(ctl, &reply) < 0)
		return 0;
	r = model_read(reply, model);
	sd_bus_message_unref(reply);
	return r;
}

static int load(struct ctl *ctl, struct model *ret, sd_bus_error *error)
{
	struct model model = { 0 };
	sd_bus_message *reply = NULL;
	int r;

	r = bus_call(ctl, BUS_PATH, "org.freedesktop.DBus.ObjectManager",
		     "GetManagedObjects", error, &reply, NULL);
	if (r < 0)
		return r;
	r = model_read(reply, &model);
	sd_bus_message_unref(reply);
	if (r >= 0)
		r = load_watches(ctl, &model);
	if (r < 0) {
		model_free(&model);
		return -EBADMSG;
	}
	link_objects(&model);
	*ret = model;
	return 0;
}

int model_load(struct ctl *ctl, struct model *ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = load(ctl, ret, &error);

	if (r == -EBADMSG && !error.name)
		return bus_fail_answer(ctl, r);
	return r < 0 ? bus_fail(ctl, r, &error, NULL) : 0;
}

int model_try(struct ctl *ctl, struct model *ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = load(ctl, ret, &error);

	sd_bus_error_free(&error);
	return r;
}

const struct vm *model_vm(const struct model *model, const char *path)
{
	size_t i;

	for (i = 0; i < model->nr_vms; i++)
		if (!strcmp(model->vms[i].path, path))
			return &model->vms[i];
	return NULL;
}
