#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: packages.sh [build|deb|check|demo|intel]...
#
# Installs the Debian packages that a target needs and the machine lacks.
# Who is not root gets the one command line that is missing.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

BUILD_PACKAGES="gcc libc6-dev libjson-c-dev libncurses-dev
	libnl-genl-3-dev libpython3-dev libsystemd-dev libzstd-dev make
	pkg-config python3"
# The emulated host, its kernels and their modules.
HOST_PACKAGES="busybox-static cpio debian-archive-keyring gcc-12 kmod
	libelf1 mount qemu-system-x86 xz-utils zstd"
# The emulated Intel host, besides.
INTEL_PACKAGES="bochs bochs-term bochsbios isolinux syslinux-common vgabios
	xorriso"
# Unit tests, checks of headers, tools, manual, style and Python package, and the
# debug kernel, which is built here.
CHECK_PACKAGES="bc binutils bison clang e2fsprogs flex g++ git jq libcmocka-dev
	libelf-dev libssl-dev mandoc mypy perl python3-numpy shellcheck sparse
	zsh"
# Root file systems: the systemd host's, and that in which packages are built.
DEB_PACKAGES="debian-archive-keyring mmdebstrap uidmap"

list()
{
	local target
	for target in "${@:-check}"; do
		case $target in
		build) echo "$BUILD_PACKAGES" ;;
		deb) echo "make $DEB_PACKAGES" ;;
		demo) echo "$BUILD_PACKAGES $HOST_PACKAGES" ;;
		intel) echo "$BUILD_PACKAGES $HOST_PACKAGES $INTEL_PACKAGES" ;;
		check) echo "$BUILD_PACKAGES $HOST_PACKAGES $CHECK_PACKAGES" \
			"$INTEL_PACKAGES $DEB_PACKAGES" ;;
		*) die "unknown target $target" ;;
		esac
	done | tr -s '[:space:]' '\n' | sort -u
}

installed()
{
	local status
	status=$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) &&
		[ "$status" = installed ]
}

apt_install()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=-1 -o Acquire::Retries=3 \
		install --no-install-recommends "$@" </dev/null
}

# A bare machine has no lists, an old one has lists of what is gone.
update_and_install()
{
	apt-get -q -o Acquire::Retries=3 update </dev/null &&
		apt_install "$@"
}

[ -r /etc/debian_version ] || die "this needs Debian 12"
missing=()
for package in $(list "$@"); do
	installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "apt-get install --no-install-recommends ${missing[*]}"
	exit 1
fi
say APT "installs ${missing[*]}"
mkdir -p "$BUILD/log"
if ! apt_install "${missing[@]}" >"$BUILD/log/packages" 2>&1; then
	run_logged "$BUILD/log/packages" update_and_install "${missing[@]}"
fi
