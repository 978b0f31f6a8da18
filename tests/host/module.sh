#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: module.sh KERNELDIR OUT
#
# Builds the module, and the tests' own modules if there are any, for the
# kernel in KERNELDIR (as kernel.sh prints it, or its headers alone) from a
# copy in OUT, warnings being errors. What the emulated host gets in /lib is in
# OUT/host. If KERNELDIR is a root with tools of its own, these are used.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

kernel=${1:?usage: module.sh KERNELDIR OUT}
out=${2:?usage: module.sh KERNELDIR OUT}
root=
[ ! -x "$kernel/usr/bin/make" ] || root=$kernel
[ ! -d "$kernel/headers" ] || kernel=$kernel/headers
[ -e "$kernel/include/generated/utsrelease.h" ] ||
	die "no kernel headers in $kernel"
release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	"$kernel/include/generated/utsrelease.h")

# What was built for another kernel would look up to date to kbuild.
check_out()
{
	local identity
	identity="$kernel $release $(stat -c %Y "$kernel/Module.symvers")"
	if [ "$identity" != "$(cat "$out/kernel" 2>/dev/null)" ]; then
		rm -rf "$out"/{kmod,include,tests,host}
		echo "$identity" >"$out/kernel"
	fi
	mkdir -p "$out/host"
}

# sync_tree FROM TO: a file that is the same keeps its time, one that is gone
# is not there to be included any more
sync_tree()
{
	local file
	mkdir -p "$2"
	(cd "$1" && find . -type f) | while read -r file; do
		cmp -s "$1/$file" "$2/$file" && continue
		mkdir -p "$(dirname "$2/$file")"
		cp "$1/$file" "$2/$file"
	done
	(cd "$2" && find . -name '*.[ch]' ! -name '*.mod.c') |
		while read -r file; do
			[ -e "$1/$file" ] || rm "$2/$file"
		done
}

# kbuild DIRECTORY: one below $out
kbuild()
{
	local where=("$kernel" M="$1")
	local run=()
	if [ -n "$root" ]; then
		run=("$HOST/in-root.sh" "$root" "$out")
		where=("${kernel#"$root"}" M="/mnt${1#"$out"}")
	fi
	"${run[@]}" make -C "${where[@]}" -j"$(nproc)" KCFLAGS=-Werror modules
}

# build NAME DIRECTORY
build()
{
	say MODULE "$1 for Linux $release"
	run_logged "$BUILD/log/module-${out##*/}-$1" kbuild "$2"
}

mkdir -p "$out"
exec 9>"$out/lock"
flock 9
unset MAKEFLAGS MFLAGS MAKELEVEL
check_out
sync_tree "$TOP/include" "$out/include"
sync_tree "$TOP/kmod" "$out/kmod"
build kvm-wtrack "$out/kmod"
cp "$out/kmod/kvm-wtrack.ko" "$out/host/"
if [ -e "$TOP/tests/guest/kmod/Kbuild" ]; then
	sync_tree "$TOP/tests/guest/kmod" "$out/tests/guest/kmod"
	build tests "$out/tests/guest/kmod"
	cp "$out"/tests/guest/kmod/*.ko "$out/host/"
fi
