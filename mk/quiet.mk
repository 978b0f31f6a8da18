# SPDX-License-Identifier: GPL-2.0-or-later
# For all Makefiles: what is done is one line each; V=1 shows the commands.

# A name is one word to make. What includes this names it without $(TOP).
ifneq ($(word 2,[$(CURDIR)]),)
$(error the tree has to be in a directory without spaces, not "$(CURDIR)")
endif

V ?= 0
export V
ifeq ($(V),1)
Q :=
QUIET :=
else
Q := @
QUIET := --no-print-directory
endif

# It is taken relative to each directory in turn, and is not quoted.
ifneq ($(DESTDIR),$(firstword $(filter /%,$(DESTDIR))))
$(error DESTDIR has to be absolute and without spaces, not "$(DESTDIR)")
endif

# remove_dirs DIRECTORY...: those that are there and empty
remove_dirs = $(Q)for dir in $(1); do [ ! -d "$$dir" ] || \
	rmdir --ignore-fail-on-non-empty "$$dir" || exit 1; done
