# SPDX-License-Identifier: GPL-2.0-or-later
# The parts of wtrackctl that need neither daemon nor module; its table of
# commands is one of the tests, in fake.c.
UNIT_SOURCES := $(patsubst %,$(TOP)/ctl/%.c,args args_parse ctl json mem \
	metrics module_file put_file sysfile table term text) \
	$(TOP)/common/number.c $(TOP)/common/range.c
UNIT_CPPFLAGS := -I$(TOP)/include -iquote $(TOP)/ctl -iquote $(TOP) \
	-DDASHBOARD='"$(TOP)/docs/grafana/kvm-wtrack.json"'
UNIT_LDLIBS := -ljson-c -lm
