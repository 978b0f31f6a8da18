#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: root.sh
#
# Makes two Debian 12 of the same packages, once, and prints the directory where
# they are: build.tar, in which the packages of this tree are built and looked
# at, and fresh.tar, which has nothing but apt, with debs/, a repository of all
# that is needed to install them. The kernels whose headers are there:
# release-6.1, release-6.12, release-cloud, release-rt.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/kernels.sh"
. "$TOP/tests/lib/cache.sh"
. "$TOP/tests/lib/repository.sh"

# What debian/control asks for, and what looks at the result.
PACKAGES="build-essential debhelper dh-dkms dh-python python3-all-dev
	libjson-c-dev libncurses-dev libnl-genl-3-dev
	libsystemd-dev libzstd-dev pkg-config usr-is-merged
	dkms kmod lintian openssl systemd xz-utils"
# What a user's system gets besides: see the Recommends; and what tries it.
FRESH="apt dbus polkitd bash-completion systemd systemd-sysv fakeroot sudo
	linux-headers-amd64 autopkgtest"

# headers NAME KERNEL: the package of those of a kernel and its version
headers()
{
	kernel_name "$2"
	kernel_find
	echo "${KERNEL_HEADERS#linux-headers-}" >"$CACHE_ENTRY/release-$1"
	echo "$KERNEL_HEADERS=$KERNEL_VERSION"
}

fetch()
{
	local closure old new cloud rt
	apt_refresh
	old=$(headers 6.1 6.1)
	new=$(headers 6.12 6.12)
	cloud=$(headers cloud 6.1-cloud)
	rt=$(headers rt 6.12-rt)
	say FETCH "a Debian 12 with compiler, kernel headers, about 250 MB"
	# The meta package is that of the release.
	# shellcheck disable=SC2086 # they are words
	closure=$(apt_closure '?essential' $PACKAGES $FRESH "$old" "$new" "$cloud" \
		"$rt")
	# shellcheck disable=SC2086
	cache_debs_fetch $closure
}

# bootstrap NAME OPTION...: headers of some kernels depend on the kernel, which
# nobody boots
bootstrap()
{
	local name=$1
	shift
	INITRD=No \
	run_logged "$CACHE/log/packages-$name" mmdebstrap --mode="$mode" \
		--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/lib/modules/*/kernel/*' \
		--dpkgopt='path-exclude=/boot/vmlinuz-*' \
		--customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
		"$@" bookworm "$CACHE_ROOT/$name.tar" \
		"deb [trusted=yes] copy:$CACHE_ROOT/debs ./"
}

build()
{
	local releases
	say ROOT "a Debian 12 to build packages in, takes a minute or two"
	cache_root_start
	mkdir "$CACHE_ROOT/debs"
	repository_make "$CACHE_ROOT/debs"
	cp "$CACHE_ENTRY"/release-* "$CACHE_ROOT/"
	mapfile -t releases < <(cat "$CACHE_ROOT"/release-*)
	bootstrap fresh --variant=essential --include=apt
	# shellcheck disable=SC2086
	bootstrap build --variant=essential --include="$PACKAGES" \
		"${releases[@]/#/--include=linux-headers-}"
	cache_root_seal
}

mode=unshare
[ "$(id -u)" != 0 ] || mode=root
cache_open packages-bookworm "$PACKAGES $FRESH $KERNEL_PARTS rt"
cache_debs_valid || fetch
cache_root "$0"
cache_root_valid || build
cache_close
echo "$CACHE_ROOT"
