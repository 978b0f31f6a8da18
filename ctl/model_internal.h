/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the model call each other.
 *
 *	model.c		asks, sorts, links
 *	model_read.c	reads the answer
 *	model_objects.c	knows the properties of each kind of object
 */
#ifndef CTL_MODEL_INTERNAL_H
#define CTL_MODEL_INTERNAL_H

#include <systemd/sd-bus.h>

#include "model.h"

/*
 * Where a property goes: its type as in D-Bus, or PROPERTY_IDS for "at", and the
 * place in the struct.
 */
#define PROPERTY_IDS	'A'
struct property {
	const char *name;
	char type;
	size_t offset;
};

/* One of the three kinds of objects, which are all in lists. */
struct kind {
	const char *interface;
	const struct property *properties;
	size_t size;
	size_t array;		/* offset in struct model, the pointer */
	size_t nr;		/* and the number */
};

/* model_objects.c: NULL when there is no such interface. */
const struct kind *model_kind(const char *interface);
/* A new one at the end of its list: all strings are "", the rest is 0. */
void *model_add(struct model *model, const struct kind *kind, const char *path);
bool property_is_string(char type);

/* model_read.c: adds what the message has; < 0 when it is not what it should. */
int model_read(sd_bus_message *m, struct model *model);

#endif
