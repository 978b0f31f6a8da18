#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: qemu-tree.sh OUT
#
# Assembles in OUT what an unmodified QEMU needs to run a VM inside of the
# emulated host: the machine's own binary, its accelerators and firmware. For
# run.sh --copy OUT:/, which adds the shared libraries.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

out=${1:?usage: qemu-tree.sh OUT}
modules=/usr/lib/x86_64-linux-gnu/qemu
qemu=$(command -v qemu-system-x86_64) || die "no qemu-system-x86_64 here"

rm -rf "$out"
mkdir -p "$out/usr/bin" "$out/usr/share/qemu" "$out/usr/share/seabios" \
	"$out$modules"
cp "$qemu" "$out/usr/bin/"
cp "$modules"/accel-*.so "$out$modules/"
cp -L /usr/share/qemu/*.{bin,rom} "$out/usr/share/qemu/"
cp -L /usr/share/seabios/*.bin "$out/usr/share/seabios/"
