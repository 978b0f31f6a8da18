#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: kernel.sh 6.1|6.12|6.12-trixie|newest[-cloud|-rt]
#
# Brings the kernel of that series that users of Debian get, with what a module
# is built from, into the cache, and prints the directory where they are:
# release, vmlinuz, headers/ and, for modprobe -d, lib/modules/. What the cache
# has is not looked for again.
#
#	6.1		Debian 12's
#	6.12		the other one of Debian 12, from its security suite
#	6.12-trixie	Debian 13's
#	newest		the newest in Debian 13's backports
#	...-cloud	the cloud flavour of one of them, which is without
#			CONFIG_KVM_EXTERNAL_WRITE_TRACKING
#	...-rt		the PREEMPT_RT flavour
#
# Debian 13's headers need its compiler and its libc. There the directory is
# the root of a file system with these tools, for in-root.sh.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/kernels.sh"
. "$TOP/tests/lib/cache.sh"

name=${1:?usage: kernel.sh 6.1|6.12|6.12-trixie|newest[-cloud|-rt]}
# What kbuild runs besides what the headers depend on.
TOOLS="base-files binutils coreutils dash grep make mawk sed"

fetch()
{
	local tools=() size="about 100 MB"
	apt_refresh
	kernel_find
	if [ "$KERNEL_RELEASE" = trixie ]; then
		# shellcheck disable=SC2086 # they are words
		mapfile -t tools < <(kernel_closure \
			"$KERNEL_HEADERS=$KERNEL_VERSION" $TOOLS)
		size="and a compiler, about 200 MB"
	fi
	say FETCH "Linux ${KERNEL_IMAGE#linux-image-} ($KERNEL_VERSION), $size"
	mapfile -t tools < <(printf '%s\n' "${KERNEL_PACKAGES[@]}" "${tools[@]}" |
		sort -u)
	cache_debs_fetch "${tools[@]}"
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
	if [ -e "$root/boot/vmlinuz-$release" ]; then
		ln -s "boot/vmlinuz-$release" "$root/vmlinuz"
	else
		ln -s "lib/modules/$release/vmlinuz" "$root/vmlinuz"
	fi
}

unpack()
{
	local deb release
	say UNPACK "Linux $name"
	cache_root_start
	for deb in "$CACHE_ENTRY"/debs/*.deb; do
		dpkg -x "$deb" "$CACHE_ROOT"
	done
	release=$(ls "$CACHE_ROOT/lib/modules")
	"finish_$KERNEL_RELEASE" "$CACHE_ROOT" "$release"
	# Without vmlinux kbuild does not ask for pahole: the tests need no BTF.
	rm -f "$CACHE_ROOT/usr/src/linux-headers-$release/vmlinux"
	ln -s "usr/src/linux-headers-$release" "$CACHE_ROOT/headers"
	depmod -b "$CACHE_ROOT" "$release"
	echo "$release" >"$CACHE_ROOT/release"
	cache_root_seal
}

kernel_name "$name"
cache_open "kernel-$name" "$KERNEL_RELEASE $KERNEL_PARTS"
cache_debs_valid || fetch
cache_root "$0"
cache_root_valid || unpack
cache_close
echo "$CACHE_ROOT"
