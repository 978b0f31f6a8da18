# SPDX-License-Identifier: GPL-2.0-or-later
# The library on a module that is simulated: see fake.h.
UNIT_SOURCES := $(filter-out %/sys.c %/bus.c,$(wildcard $(TOP)/libwtrack/*.c))
UNIT_CPPFLAGS := -I$(TOP)/include -I$(TOP)/include/uapi -I$(TOP)/libwtrack
