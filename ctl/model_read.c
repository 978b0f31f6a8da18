// SPDX-License-Identifier: GPL-2.0-or-later
/* The answer to GetManagedObjects(). */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "model_internal.h"

static const struct property *find(const struct property *properties,
				   const char *name)
{
	for (; properties->name; properties++)
		if (!strcmp(properties->name, name))
			return properties;
	return NULL;
}

static int read_ids(sd_bus_message *m, struct session_ids *ret)
{
	const void *ids;
	size_t size;
	int r = sd_bus_message_read_array(m, 't', &ids, &size);

	if (r < 0)
		return r;
	free(ret->ids);
	*ret = (struct session_ids) { .nr = size / sizeof(*ret->ids) };
	ret->ids = mem_zalloc(size + 1);
	memcpy(ret->ids, ids, size);
	return 0;
}

/* Reads a value of that type to its place. */
static int read_value(sd_bus_message *m, const struct property *property,
		      void *object)
{
	void *place = (char *)object + property->offset;
	const char *text;
	int r, flag;

	if (property_is_string(property->type)) {
		r = sd_bus_message_read_basic(m, property->type, &text);
		if (r > 0) {
			free(*(char **)place);
			*(char **)place = mem_strdup(text);
		}
		return r;
	}
	if (property->type == PROPERTY_IDS)
		return read_ids(m, place);
	if (property->type != 'b')
		return sd_bus_message_read_basic(m, property->type, place);
	r = sd_bus_message_read_basic(m, 'b', &flag);
	if (r > 0)
		*(bool *)place = flag;
	return r;
}

static bool is_of_type(const char *contents, char type)
{
	return type == PROPERTY_IDS ? !strcmp(contents, "at") :
				      contents[0] == type && !contents[1];
}

/* One entry of a{sv}; what is not known, or of another type, is skipped. */
static int read_property(sd_bus_message *m, const struct property *properties,
			 void *object)
{
	const struct property *property;
	const char *name, *contents;
	int r;

	r = sd_bus_message_read_basic(m, 's', &name);
	if (r < 0)
		return r;
	r = sd_bus_message_peek_type(m, NULL, &contents);
	if (r < 0)
		return r;
	property = find(properties, name);
	if (!property || !is_of_type(contents, property->type))
		return sd_bus_message_skip(m, "v");
	r = sd_bus_message_enter_container(m, 'v', contents);
	if (r >= 0)
		r = read_value(m, property, object);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_properties(sd_bus_message *m, const struct property *properties,
			   void *object)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sv");
		if (r <= 0)
			break;
		r = read_property(m, properties, object);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_interface(sd_bus_message *m, const char *path,
			  struct model *model)
{
	const struct kind *kind;
	const char *interface;
	int r;

	r = sd_bus_message_read_basic(m, 's', &interface);
	if (r < 0)
		return r;
	kind = model_kind(interface);
	if (!kind)
		return sd_bus_message_skip(m, "a{sv}");
	return read_properties(m, kind->properties,
			       model_add(model, kind, path));
}

static int read_object(sd_bus_message *m, struct model *model)
{
	const char *path;
	int r;

	r = sd_bus_message_read_basic(m, 'o', &path);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sa{sv}");
		if (r <= 0)
			break;
		r = read_interface(m, path, model);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int model_read(sd_bus_message *m, struct model *model)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}");
		if (r <= 0)
			break;
		r = read_object(m, model);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}
