# SPDX-License-Identifier: GPL-2.0-or-later
# What is done is one line each; V=1 shows the commands.

V ?= 0
export V
ifeq ($(V),1)
Q :=
QUIET :=
else
Q := @
QUIET := --no-print-directory
endif
