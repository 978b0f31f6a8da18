# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon's watches and metrics, as far as they need neither loop nor bus.
UNIT_SOURCES := $(addprefix $(TOP)/daemon/,fdstore.c journal.c range_parse.c ranges.c ratelimit.c util.c)
UNIT_CPPFLAGS := -I$(TOP)/include -I$(TOP)/include/uapi -iquote $(TOP)/daemon
UNIT_LDLIBS := -lsystemd
