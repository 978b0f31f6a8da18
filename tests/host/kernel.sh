#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: kernel.sh 6.1|6.12|newest|6.1-cloud|6.12-cloud
#
# Brings the newest Debian 12 kernel of that series, or the newest of all in
# Debian 13's backports, with what a module is built from, into the cache, and
# prints the directory where they are: release, vmlinuz, headers/ and, for
# modprobe -d, lib/modules/. What the cache has is not looked for again. The
# cloud flavour is without CONFIG_KVM_EXTERNAL_WRITE_TRACKING.
#
# Debian 13's headers need its compiler and its libc. There the directory is
# the root of a file system with these tools, for in-root.sh.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/cache.sh"

series=${1:?usage: kernel.sh 6.1|6.12|newest|6.1-cloud|6.12-cloud}
# What kbuild runs besides what the headers depend on.
TOOLS="base-files binutils coreutils dash grep make mawk sed"

fetch_bookworm()
{
	local version image headers common kbuild
	version=$(apt_kernel_version "${series%-cloud}")
	image=$(apt_depends "linux-image-$flavour" "$version" \
		"linux-image-[0-9].*-$flavour")
	headers=linux-headers-${image#linux-image-}
	common=$(apt_depends "$headers" "$version" 'linux-headers-.*-common')
	kbuild=$(apt_depends "$headers" "$version" 'linux-kbuild-.*')
	say FETCH "Linux ${image#linux-image-} ($version), about 100 MB"
	cache_debs_fetch {"$image","$headers","$common","$kbuild"}="$version"
}

# The image is two packages here, and the tools come along.
fetch_trixie()
{
	local version image binary modules headers closure
	version=$(apt_kernel_version newest)
	image=$(apt_depends linux-image-amd64 "$version" 'linux-image-.*-amd64')
	binary=$(apt_depends "$image" "$version" 'linux-binary-.*')
	modules=$(apt_depends "$image" "$version" 'linux-modules-.*')
	headers=linux-headers-${image#linux-image-}
	# shellcheck disable=SC2086 # they are words
	closure=$(apt_closure "$headers=$version" $TOOLS)
	say FETCH "Linux ${image#linux-image-} ($version) and a compiler," \
		"about 200 MB"
	# shellcheck disable=SC2086
	cache_debs_fetch {"$binary","$modules"}="$version" $closure
}

fetch()
{
	apt_release "$suite"
	apt_refresh
	"fetch_$suite"
}

# The installed headers name each other by absolute paths.
finish_bookworm()
{
	local root=$1 release=$2
	sed -i "s,/usr/src/,$root/usr/src/," \
		"$root/usr/src/linux-headers-$release/Makefile"
	ln -s "boot/vmlinuz-$release" "$root/vmlinuz"
}

# What packages do when they are installed, as far as it is needed.
finish_trixie()
{
	local root=$1 release=$2
	mkdir "$root/mnt"
	ln -s mawk "$root/usr/bin/awk"
	ln -s "lib/modules/$release/vmlinuz" "$root/vmlinuz"
}

unpack()
{
	local deb release
	say UNPACK "Linux $series"
	cache_root_start
	for deb in "$CACHE_ENTRY"/debs/*.deb; do
		dpkg -x "$deb" "$CACHE_ROOT"
	done
	release=$(ls "$CACHE_ROOT/lib/modules")
	"finish_$suite" "$CACHE_ROOT" "$release"
	# Without vmlinux kbuild does not ask for pahole: the tests need no BTF.
	rm -f "$CACHE_ROOT/usr/src/linux-headers-$release/vmlinux"
	ln -s "usr/src/linux-headers-$release" "$CACHE_ROOT/headers"
	depmod -b "$CACHE_ROOT" "$release"
	echo "$release" >"$CACHE_ROOT/release"
	cache_root_seal
}

suite=bookworm
flavour=amd64
case $series in
newest) suite=trixie ;;
*-cloud) flavour=cloud-amd64 ;;
esac
cache_open "kernel-$series"
cache_debs_valid || fetch
cache_root "$0"
cache_root_valid || unpack
cache_close
echo "$CACHE_ROOT"
