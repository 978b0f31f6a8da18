# SPDX-License-Identifier: GPL-2.0-or-later
# The parts of wtrackctl that compute: recordings, reports and their pictures,
# filters, the screen of `top`. Files are those of this machine.
UNIT_SOURCES := $(addprefix $(TOP)/ctl/,cost.c crc32c.c event.c event_text.c filter.c \
	heat.c hot_model.c mem.c model_text.c json.c output.c ranges.c rec_format.c \
	rec_meta.c rec_read.c rec_write.c report.c svg.c svg_axes.c svg_grid.c \
	tally.c term.c text.c timeline.c top_draw.c top_model.c top_rows.c \
	top_view.c units.c) \
	$(TOP)/common/number.c $(TOP)/common/range.c \
	$(TOP)/libwtrack/event.c
UNIT_CPPFLAGS := -I$(TOP)/include -I$(TOP)/include/uapi -I$(TOP)/libwtrack \
	-I$(TOP)/ctl -iquote $(TOP)
UNIT_LDLIBS := -lzstd -ljson-c -lm
