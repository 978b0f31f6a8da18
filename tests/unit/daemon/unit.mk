# SPDX-License-Identifier: GPL-2.0-or-later
# What the daemon computes: no event loop, no bus, no module.
UNIT_SOURCES := $(addprefix $(TOP)/daemon/,config.c limit.c open_amount.c policy.c \
	proc_parse.c state.c) \
	$(TOP)/watch/defaults.c \
	$(addprefix $(TOP)/common/,config_files.c ini.c ini_list.c number.c utf8.c util.c \
	vm_text.c)
UNIT_CPPFLAGS := -I$(TOP)/include -iquote $(TOP)/daemon -iquote $(TOP)/watch \
	-iquote $(TOP)/common -iquote $(TOP) \
	-DSHIPPED='"$(TOP)/daemon/wtrackd.conf"'
