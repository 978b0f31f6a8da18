# SPDX-License-Identifier: GPL-2.0-or-later
# Commands that follow a guest, from their options to what they print, with the
# library on the simulated module of ../lib.
UNIT_SOURCES := $(filter-out %/main.c,$(wildcard $(TOP)/ctl/*.c)) \
	$(wildcard $(TOP)/common/*.c) \
	$(filter-out %/sys.c %/bus.c,$(wildcard $(TOP)/libwtrack/*.c)) \
	$(wildcard $(TOP)/tests/unit/lib/fake*.c)
# The library's headers first: each finds those beside it by itself.
UNIT_CPPFLAGS := -I$(TOP)/include -I$(TOP)/include/uapi -I$(TOP)/libwtrack \
	-I$(TOP)/ctl -iquote $(TOP) -I$(TOP)/tests/unit/lib -DVERSION='"1.0.0"'
UNIT_LDLIBS := -lsystemd -ljson-c -lzstd -lncursesw -ltinfo -lm
# Rows of tables say what they need.
UNIT_CFLAGS := -Wno-missing-field-initializers
