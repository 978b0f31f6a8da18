# SPDX-License-Identifier: GPL-2.0-or-later
# Looks into processes, which may have the threads wait; eventfds are VMs here.
UNIT_SOURCES := $(addprefix $(TOP)/daemon/,look.c look_process.c pidfd.c proc.c \
	proc_parse.c) $(addprefix $(TOP)/common/,utf8.c util.c)
UNIT_CPPFLAGS := -I$(TOP)/include -iquote $(TOP)/daemon -iquote $(TOP)/common \
	-iquote $(TOP)
UNIT_LDLIBS := -lsystemd -Wl,--wrap=pid_fd_compare -Wl,--wrap=fd_link_is_vm \
	-Wl,--wrap=sd_pid_get_owner_uid
