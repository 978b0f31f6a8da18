# SPDX-License-Identifier: GPL-2.0-or-later
# A VM's thread and its sessions, with the library on the simulated module, a real
# event loop, and sockets in the place of journald and the service manager.
UNIT_SOURCES := $(addprefix $(TOP)/watch/,fdstore.c guest.c guest_thread.c ranges.c \
	ratelimit.c shared.c watch_arm.c watch_budget.c watch_config.c \
	watch_drain.c watch_event.c watch_gap.c watch_journal.c watch_keys.c \
	watch_log.c watch_log_state.c watch_match.c watch_open.c \
	watch_resync.c watch_session.c) \
	$(addprefix $(TOP)/common/,ini.c ini_list.c journal.c log.c number.c \
	range.c utf8.c util.c) \
	$(filter-out %/fake_bus.c,$(wildcard $(SRC)/lib/fake*.c)) \
	$(filter-out %/sys.c %/bus.c %/daemon.c,$(wildcard \
		$(TOP)/libwtrack/*.c))
UNIT_CPPFLAGS := -I$(TOP)/include -I$(TOP)/include/uapi -I$(TOP)/libwtrack \
	-I$(SRC)/lib -iquote $(TOP)/watch -iquote $(TOP)/common -iquote $(TOP)
# The simulated module's descriptors are numbers that no loop can wait for.
UNIT_LDLIBS := -lsystemd -Wl,--wrap=wtrack_session_get_fd \
	-Wl,--wrap=pthread_create
