# SPDX-License-Identifier: GPL-2.0-or-later
# Whose turn it is to be looked at; there are no processes, and no threads.
UNIT_SOURCES := $(addprefix $(TOP)/daemon/,scan.c)
UNIT_CPPFLAGS := -I$(TOP)/include -iquote $(TOP)/daemon -iquote $(TOP)/common \
	-iquote $(TOP)
UNIT_LDLIBS := -lsystemd
