#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: build.sh OUT
#
# Builds Debian 12's packages of this tree, as it is here, in a Debian 12 that
# has nothing else, and puts them into OUT. What tests need of it stays in
# build/packages.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

out=${1:?usage: build.sh OUT}
work=$BUILD/packages

# What belongs to the tree, whether it is committed or not.
tree_list()
{
	cd "$TOP"
	git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
		find . -path ./build -prune -o -path ./.git -prune -o -type f -print0
}

unset MAKEFLAGS MFLAGS MAKELEVEL
root=$("$TOP/tests/packages/root.sh")
rm -rf "$work" "$out"
mkdir -p "$work/deb" "$out"
say DEB "packages of kvm-wtrack"
tree_list | tar -C "$TOP" --null -T - -cf "$work/tree.tar"
cp -r "$TOP/tests/packages" "$work/tests"
cp -r "$TOP/tests/lib" "$work/lib"
run_logged "$BUILD/log/deb" "$TOP/tests/packages/chroot.sh" "$root/build.tar" \
	"$work" bash /mnt/tests/build-in-root /build /mnt/deb
cp "$work"/deb/* "$out/"
say DONE "packages in $out"
