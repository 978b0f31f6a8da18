# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon's watches and metrics, as far as they need neither loop nor bus.
UNIT_SOURCES := $(addprefix $(TOP)/daemon/,fdstore.c ini.c ini_list.c ini_value.c journal.c \
	range_parse.c ranges.c ratelimit.c util.c watch_config.c watch_keys.c \
	watch_match.c)
UNIT_CPPFLAGS := -I$(TOP)/include -I$(TOP)/include/uapi -iquote $(TOP)/daemon
UNIT_LDLIBS := -lsystemd
