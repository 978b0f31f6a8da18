# SPDX-License-Identifier: GPL-2.0-or-later
# The module's data structures, compiled from the files that the module itself
# is made of, against headers that stand in for the kernel's.
UNIT_SOURCES := $(addprefix $(TOP)/kmod/,space.c set.c absent.c match.c tell.c \
	ring.c sync.c insn.c) $(wildcard $(TOP)/tests/lib/shim/*.c)
UNIT_CPPFLAGS := -I$(TOP)/tests/lib/shim -I$(TOP)/include/uapi -I$(TOP)/kmod \
	-I$(TOP)/libwtrack
# As the kernel is built.
UNIT_CFLAGS := -fno-strict-aliasing -Wno-unused-parameter -Wno-sign-compare
