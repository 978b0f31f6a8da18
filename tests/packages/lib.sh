# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by what runs in a root: /mnt has the packages, tests/lib and
# tests/packages. Results that are left here are not kept; who reads the TAP
# counts.

export BUILD=/build
# shellcheck source=tests/lib/results.sh
. /mnt/lib/results.sh
# shellcheck source=tests/lib/check.sh
. /mnt/lib/check.sh

VERSION=$(dpkg-deb -f /mnt/deb/kvm-wtrack-dkms_*.deb Version)
VERSION=${VERSION%-*}
# What the upgrade is to.
export NEXT=1.0.1

# module RELEASE: where DKMS installs it
module()
{
	echo "/lib/modules/$1/updates/dkms/kvm-wtrack.ko"
}

has_module()
{
	[ -e "$(module "$1")" ] || echo "no $(module "$1")"
}

has_no_module()
{
	[ ! -e "$(module "$1")" ] || echo "there is $(module "$1")"
}

# state RELEASE WANTED: what DKMS says of the module
state()
{
	local seen
	seen=$(dkms status "kvm-wtrack/$VERSION" -k "$1" 2>/dev/null)
	case $seen in
	*": $2"*) ;;
	*) echo "wanted $2, dkms says: $seen" ;;
	esac
}
