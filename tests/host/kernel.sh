#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: kernel.sh 6.1|6.12
#
# Brings the newest Debian 12 kernel of that series, with what a module is
# built from, into the cache, and prints the directory where they are:
# release, vmlinuz, headers/ and, for modprobe -d, lib/modules/.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/cache.sh"

series=${1:?usage: kernel.sh 6.1|6.12}

fetch()
{
	local version image headers common kbuild
	apt_refresh
	version=$(apt_kernel_version "$series")
	image=$(apt_depends linux-image-amd64 "$version" 'linux-image-.*-amd64')
	headers=linux-headers-${image#linux-image-}
	common=$(apt_depends "$headers" "$version" 'linux-headers-.*-common')
	kbuild=$(apt_depends "$headers" "$version" 'linux-kbuild-.*')
	say FETCH "Linux ${image#linux-image-} ($version), about 100 MB"
	cache_debs_fetch {"$image","$headers","$common","$kbuild"}="$version"
}

# The installed headers name each other by absolute paths. Without vmlinux
# kbuild does not ask for pahole: the tests need no BTF.
finish()
{
	local root=$1 release=$2
	sed -i "s,/usr/src/,$root/usr/src/," \
		"$root/usr/src/linux-headers-$release/Makefile"
	rm -f "$root/usr/src/linux-headers-$release/vmlinux"
	ln -s "usr/src/linux-headers-$release" "$root/headers"
	ln -s "boot/vmlinuz-$release" "$root/vmlinuz"
	depmod -b "$root" "$release"
	echo "$release" >"$root/release"
}

unpack()
{
	local deb
	say UNPACK "Linux $series"
	cache_root_start
	for deb in "$CACHE_ENTRY"/debs/*.deb; do
		dpkg -x "$deb" "$CACHE_ROOT"
	done
	finish "$CACHE_ROOT" "$(ls "$CACHE_ROOT/lib/modules")"
	cache_root_seal
}

cache_open "kernel-$series"
cache_debs_valid || fetch
cache_root "$0"
cache_root_valid || unpack
cache_close
echo "$CACHE_ROOT"
