# SPDX-License-Identifier: GPL-2.0-or-later
# What the daemon computes: no event loop, no bus, no module.
UNIT_SOURCES := $(addprefix $(TOP)/daemon/,config.c ini.c ini_list.c \
	limit.c open_amount.c policy.c proc_parse.c state.c util.c) \
	$(TOP)/common/number.c $(TOP)/common/vm_text.c
UNIT_CPPFLAGS := -I$(TOP)/include -iquote $(TOP)/daemon -iquote $(TOP) \
	-DSHIPPED='"$(TOP)/daemon/wtrackd.conf"'
