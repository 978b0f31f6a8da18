# SPDX-License-Identifier: GPL-2.0-or-later
# The watches, as far as they need neither loop nor bus.
UNIT_SOURCES := $(addprefix $(TOP)/watch/,defaults.c fdstore.c ranges.c ratelimit.c \
	shared.c watch_config.c watch_gap.c watch_keys.c watch_log.c \
	watch_log_state.c watch_match.c) \
	$(addprefix $(TOP)/common/,config_files.c ini.c ini_list.c journal.c \
	log.c number.c range.c utf8.c util.c) \
	$(addprefix $(TOP)/libwtrack/,error.c event.c)
UNIT_CPPFLAGS := -I$(TOP)/include -I$(TOP)/include/uapi \
	-iquote $(TOP)/watch -iquote $(TOP)/common -iquote $(TOP) \
	-I$(TOP)/libwtrack \
	-DMESSAGE_IDS='"$(TOP)/common/message-ids.h"' \
	-DCATALOG='"$(TOP)/daemon/wtrackd.catalog"'
UNIT_LDLIBS := -lsystemd
