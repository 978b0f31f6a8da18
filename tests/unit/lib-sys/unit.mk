# SPDX-License-Identifier: GPL-2.0-or-later
# The library's system calls, on this machine's kernel.
UNIT_SOURCES := $(TOP)/libwtrack/sys.c
UNIT_CPPFLAGS := -I$(TOP)/libwtrack
