# SPDX-License-Identifier: GPL-2.0-or-later
# What the daemon computes: no event loop, no bus, no module.
UNIT_SOURCES := $(addprefix $(TOP)/daemon/,config.c ini.c ini_list.c \
	ini_value.c limit.c open_amount.c policy.c proc_parse.c state.c util.c \
	vm_name.c)
UNIT_CPPFLAGS := -I$(TOP)/include -iquote $(TOP)/daemon \
	-DSHIPPED='"$(TOP)/daemon/wtrackd.conf"'
