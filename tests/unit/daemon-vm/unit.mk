# SPDX-License-Identifier: GPL-2.0-or-later
# VMs, sessions and what is asked about them, for longer than they live; the
# bus, polkit and the module are fakes.
UNIT_SOURCES := $(addprefix $(TOP)/daemon/,inspect.c limit.c pidfd.c policy.c \
	proc.c proc_parse.c process.c request.c request_find.c session.c state.c \
	vm.c) \
	$(addprefix $(TOP)/common/,journal.c log.c number.c utf8.c util.c vm_text.c)
UNIT_CPPFLAGS := -I$(TOP)/include -iquote $(TOP)/daemon \
	-iquote $(TOP)/common -iquote $(TOP)
UNIT_LDLIBS := -lsystemd -Wl,--wrap=sd_bus_message_get_sender \
	-Wl,--wrap=sd_bus_get_current_userdata \
	-Wl,--wrap=sd_bus_reply_method_errorf
