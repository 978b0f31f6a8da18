# SPDX-License-Identifier: GPL-2.0-or-later
# Numbers, pages and VMs as people write them, for the daemon and the tool.
UNIT_SOURCES := $(wildcard $(TOP)/common/*.c)
UNIT_CPPFLAGS := -iquote $(TOP) -I$(TOP)/include
# Rows of tables say what they need.
UNIT_CFLAGS := -Wno-missing-field-initializers
