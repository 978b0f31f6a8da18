# SPDX-License-Identifier: GPL-2.0-or-later
# The version of all of it stands in dkms.conf, which DKMS reads as it is.

VERSION ?= $(shell sed -n 's/^PACKAGE_VERSION=//p' $(TOP)/dkms.conf)
