# SPDX-License-Identifier: GPL-2.0-or-later
# How many processes of wtrack-attach may be there: the socket that systemd listens
# at is one of the test's.
UNIT_SOURCES := $(TOP)/daemon/attach.c $(TOP)/common/util.c
UNIT_CPPFLAGS := -I$(TOP)/include -iquote $(TOP)/daemon -iquote $(TOP)/common \
	-iquote $(TOP)
UNIT_LDLIBS := -lsystemd -Wl,--wrap=connect
