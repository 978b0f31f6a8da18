/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the bus objects share. */
#ifndef WTRACKD_BUS_H
#define WTRACKD_BUS_H

#include <stdarg.h>
#include <systemd/sd-bus.h>

struct manager;

/* PropertiesChanged of first and those that follow, ended by NULL. */
void bus_changed(sd_bus *bus, const char *path, const char *interface,
		 const char *first, va_list args);
/* A signal of the manager about an object. */
void bus_manager_signal(struct manager *m, const char *signal,
			const char *path);

#endif
