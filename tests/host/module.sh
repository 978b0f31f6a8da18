#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: module.sh [--sparse|--lacking|--clang] KERNELDIR OUT
#
# Builds the module, and the tests' own modules, for the kernel in KERNELDIR (as
# kernel.sh prints it, or its headers alone) from a copy in OUT, warnings being
# errors. What the emulated host gets in /lib is in OUT/host. If KERNELDIR is a
# root with tools of its own, these are used. With --sparse it goes through all
# sources, whether they are built or not. With --lacking the kernel is one that
# lacks the option, and the module alone is built, as though it did not. With
# --clang it is clang that compiles them, to see what it warns of.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

option=CONFIG_KVM_EXTERNAL_WRITE_TRACKING
sparse=
lacking=
compiler=()
case ${1:-} in
--sparse)
	sparse=$(command -v sparse) || die "there is no sparse"
	shift
	;;
--lacking)
	lacking=1
	shift
	;;
--clang)
	compiler=(CC="$HOST/clang.sh")
	shift
	;;
esac
kernel=${1:?usage: module.sh [--sparse|--lacking|--clang] KERNELDIR OUT}
out=$(realpath -m "${2:?usage: module.sh [--sparse|--lacking|--clang] KERNELDIR OUT}")
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

# Another root gets this machine's, which needs nothing but the C library. Not
# C=2: headers without scripts/checker-valid.sh turn that off.
add_sparse()
{
	cp "$sparse" "$HOST/sparse.h" "$out/"
	flags+=(KBUILD_CHECKSRC=2 CHECK="$inside/sparse"
		CF="-Wsparse-error -include $inside/sparse.h")
}

# kbuild DIRECTORY: one below $out
kbuild()
{
	local where=("$kernel" M="$1")
	local run=() inside=$out flags=(KCFLAGS=-Werror)
	if [ -n "$root" ]; then
		inside=/mnt
		run=("$HOST/in-root.sh" "$root" "$out")
		where=("${kernel#"$root"}" M="/mnt${1#"$out"}")
	fi
	[ -z "$sparse" ] || add_sparse
	[ -z "$lacking" ] ||
		flags=("$option=y" "KCFLAGS=-Werror -D$option=1")
	flags+=("${compiler[@]}")
	"${run[@]}" make -C "${where[@]}" -j"$(nproc)" "${flags[@]}" modules
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
if [ -z "$lacking" ]; then
	sync_tree "$TOP/tests/guest/kmod" "$out/tests/guest/kmod"
	build tests "$out/tests/guest/kmod"
	cp "$out"/tests/guest/kmod/*.ko "$out/host/"
fi
