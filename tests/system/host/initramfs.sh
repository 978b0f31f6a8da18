#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: initramfs.sh OUT KERNEL TREE
#
# Makes the initramfs that puts TREE into the root file system and boots it.
set -euo pipefail
. "$(dirname "$0")/../../lib/common.sh"
. "$TOP/tests/lib/modules.sh"

out=${1:?usage: initramfs.sh OUT KERNEL TREE}
kernel=$("$HOST/kernel.sh" "${2:?no kernel}")
tree=${3:?no tree}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work"/{bin,dev,proc,sys,new,modules}
cp /bin/busybox "$work/bin/"
cp "$(dirname "$0")/init" "$work/init"
modules_needed "$kernel" nfit nd_pmem ext4 | while read -r file; do
	module_copy "$file" "$work/modules"
	file=${file##*/}
	echo "${file%.[xz]*}" >>"$work/modules/order"
done
cp -a "$tree" "$work/tree"
mkdir -p "$(dirname "$out")"
(cd "$work" && find . | cpio -o -H newc -R +0:+0 --quiet) >"$out.new"
mv "$out.new" "$out"
