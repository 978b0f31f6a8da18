# SPDX-License-Identifier: GPL-2.0-or-later
# A watch's session, with the library on the simulated module, a real event
# loop, and sockets in the place of journald and the service manager.
UNIT_SOURCES := $(addprefix $(TOP)/daemon/,fdstore.c ranges.c ratelimit.c watch_arm.c watch_budget.c \
	watch_drain.c watch_event.c watch_gap.c watch_journal.c \
	watch_log.c watch_log_state.c watch_open.c watch_query.c \
	watch_resync.c watch_session.c) \
	$(addprefix $(TOP)/common/,journal.c log.c number.c util.c) \
	$(filter-out %/fake_bus.c,$(wildcard $(SRC)/lib/fake*.c)) $(filter-out %/sys.c %/bus.c %/daemon.c,$(wildcard $(TOP)/libwtrack/*.c))
UNIT_CPPFLAGS := -I$(TOP)/include -I$(TOP)/include/uapi -I$(TOP)/libwtrack \
	-I$(SRC)/lib -iquote $(TOP)/daemon -iquote $(TOP)/common -iquote $(TOP)
# The simulated module's descriptors are numbers that no loop can wait for.
UNIT_LDLIBS := -lsystemd -Wl,--wrap=wtrack_session_get_fd
