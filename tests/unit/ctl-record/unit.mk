# SPDX-License-Identifier: GPL-2.0-or-later
# Recordings, written to and read from files of this machine.
UNIT_SOURCES := $(addprefix $(TOP)/ctl/,crc32c.c rec_format.c rec_meta.c \
	rec_read.c rec_write.c)
UNIT_CPPFLAGS := -I$(TOP)/include -I$(TOP)/ctl
UNIT_LDLIBS := -lzstd -ljson-c
