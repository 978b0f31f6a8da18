# SPDX-License-Identifier: GPL-2.0-or-later
# What the library says to the bus, which here is a socket of the test's.
UNIT_SOURCES := $(TOP)/libwtrack/bus.c
UNIT_CPPFLAGS := -I$(TOP)/libwtrack -I$(TOP)/include
UNIT_LDLIBS := -lsystemd
