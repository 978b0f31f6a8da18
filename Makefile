# SPDX-License-Identifier: GPL-2.0-or-later
# Targets only: the work is done in the directories and in tests/host.

.DEFAULT_GOAL := all
TOP := $(CURDIR)
include mk/quiet.mk
include mk/version.mk

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 6.12
CPU ?= amd
PAGING ?= nested
TESTS ?= *
HOSTS ?= *

SUBDIRS := $(patsubst %/Makefile,%,$(wildcard libwtrack/Makefile \
	common/Makefile attach/Makefile daemon/Makefile watch/Makefile ctl/Makefile systemd/Makefile man/Makefile \
	examples/Makefile python/Makefile))
BUILD := $(CURDIR)/build

.PHONY: all $(SUBDIRS) install uninstall install-dkms uninstall-dkms dist deb
.PHONY: guest module demo clean help check-install check-packages check-style
.PHONY: check check-quick check-unit check-abi check-ctl check-docs check-man check-python
.PHONY: check-bed check-host check-matrix check-boot check-debug check-system
.PHONY: bench-cost
.PHONY: docs-table

all: $(SUBDIRS)

daemon watch ctl examples python: libwtrack
daemon watch ctl: common

$(SUBDIRS):
	$(Q)$(MAKE) $(QUIET) -C $@

INSTALLED := libwtrack attach daemon watch ctl systemd man python
install: $(INSTALLED)
	$(Q)for part in $(INSTALLED); do $(MAKE) $(QUIET) -C $$part install || exit; done

uninstall:
	$(Q)for part in $(INSTALLED); do $(MAKE) $(QUIET) -C $$part uninstall || exit; done

# The module's source, for DKMS.
install-dkms uninstall-dkms:
	$(Q)$(MAKE) $(QUIET) -C kmod $(@:-dkms=)

# Of what is committed. The same commit gives the same file.
dist:
	$(Q)mkdir -p "$(BUILD)"
	$(Q)git archive --prefix=kvm-wtrack-$(VERSION)/ \
		-o "$(BUILD)/kvm-wtrack-$(VERSION).tar" HEAD
	$(Q)xz -f -T1 -6 "$(BUILD)/kvm-wtrack-$(VERSION).tar"

deb:
	$(Q)tests/packages/build.sh "$(BUILD)/deb"

# What the emulated host runs, for tests/host/run.sh.
guest: all
	$(Q)$(MAKE) $(QUIET) -C tests/guest

module:
	$(Q)tests/host/module.sh "$(KDIR)" "$(BUILD)/module"

check:
	$(Q)tests/run.sh

check-quick:
	$(Q)tests/run.sh --quick

check-unit: all
	$(Q)$(MAKE) $(QUIET) -C tests/unit check$(VARIANT:%=-%) TESTS='$(TESTS)'

check-ctl: all
	$(Q)tests/ctl/run.sh

check-python: python
	$(Q)tests/python/run.sh

check-docs:
	$(Q)tests/docs/run.sh

check-man: all
	$(Q)tests/man/run.sh

# What the last host tests saw, into the record and docs/OBSERVED.md.
docs-table:
	$(Q)tests/docs/observed.sh record

check-style:
	$(Q)tests/style/run.sh

check-abi:
	$(Q)tests/abi/run.sh

check-install: all
	$(Q)tests/install/run.sh

check-bed:
	$(Q)tests/bed/run.sh

check-packages:
	$(Q)tests/packages/run.sh "$(KERNEL)"

check-host:
	$(Q)tests/host/run.sh --cpu "$(CPU)" --features '$(FEATURES)' \
		"$(KERNEL)" "$(PAGING)" \
		'$(TESTS)'

check-matrix:
	$(Q)tests/host/matrix.sh '$(HOSTS)' '$(TESTS)'

check-boot:
	$(Q)tests/boot/run.sh "$(KERNEL)" "$(PAGING)"

check-system:
	$(Q)tests/system/host/run.sh "$(KERNEL)" '$(TESTS)'

check-debug:
	$(Q)tests/host/run.sh --limit 3600 debug "$(PAGING)" '$(TESTS)'

bench-cost:
	$(Q)tests/host/bench-cost.sh "$(KERNEL)"

demo:
	$(Q)examples/demo/demo.sh

clean:
	$(Q)rm -rf "$(BUILD)"

help:
	$(Q)sed -nE 's/^#: ?//p' Makefile

#: make               libwtrack, wtrackd, wtrack-watch, wtrackctl, the manual, the Python
#:                    package and the examples, into build/
#: make install       all but the examples to DESTDIR, PREFIX, LIBDIR,
#:                    INCLUDEDIR, BINDIR, SBINDIR, LIBEXECDIR, DATADIR, MANDIR,
#:                    PYTHONDIR
#: make uninstall     removes that from there, given the same variables
#: make install-dkms  the module's source to DESTDIR, SRCDIR, for DKMS
#: make dist          build/kvm-wtrack-VERSION.tar.xz of what is committed
#: make deb           Debian 12's packages, into build/deb/
#: make module        the module for the kernel in KDIR (the running one)
#: make demo          watch a guest of an unmodified QEMU being written to
#: make check         all tests that a change has to pass; the last line is the sum
#: make check-quick   a selection of them, for work on a change
#: make check-unit    unit tests; TESTS= is a pattern, VARIANT=plain|asan|tsan
#:                    selects one way to build them
#: make check-abi     headers, symbols and documentation of the interfaces
#: make check-ctl     wtrackctl on a machine without daemon and module
#: make check-python  the Python package, without a kernel
#: make check-docs    README, docs/ and other papers, against the tree
#: make check-man     the manual, against what it describes
#: make check-install  install, uninstall, dist
#: make check-packages  packages and DKMS, in a Debian 12 of their own
#: make check-style   sparse on each kernel, checkpatch, kernel-doc and shellcheck
#: make check-bed     the test framework
#: make docs-table    update docs/OBSERVED.md from the last host tests
#: make check-host    guest tests on KERNEL=6.12|6.1 (Debian 12's), 6.12-trixie
#:                    (Debian 13's) or newest (in Debian 13's backports),
#:                    CPU=amd|intel (in QEMU, Bochs), PAGING=nested|shadow;
#:                    TESTS= are patterns, or the first words of names.
#:                    KERNEL=6.12-cloud|6.1-cloud lack the option: tests how
#:                    the module refuses them
#:                    FEATURES= are processor features for QEMU, such as +la57
#:                    or -smap,-smep
#: make check-matrix  check-host on all of these, two at a time, with a table at
#:                    the end; HOSTS= is a pattern of 6.12-intel-nested
#: make check-boot    a whole guest, all of its memory tracked; KERNEL, PAGING
#: make check-system  daemon and tools in a Debian 12 with systemd; KERNEL, TESTS=
#:                    are patterns
#: make check-debug   check-host on a kernel with KASAN, lockdep and kmemleak
#: make bench-cost    count the instructions of an event, compare with the record
#: make clean         remove build/; kernels stay in ~/.cache/kvm-wtrack
#:
#: V=1 shows the commands.
