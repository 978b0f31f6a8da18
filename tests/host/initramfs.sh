#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: initramfs.sh OUT KERNELDIR [SOURCE:DEST]...
#
# Makes the emulated host's initramfs from busybox, the KVM modules of
# KERNELDIR (as kernel.sh prints it) and its disk of memory if it has one,
# tests/host/init, and copies of files or directories. Shared libraries that a copied program needs come along.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/modules.sh"

out=${1:?usage: initramfs.sh OUT KERNELDIR [SOURCE:DEST]...}
kernel=${2:?no kernel directory}
shift 2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

make_base()
{
	local applet
	mkdir -p "$tree"/{bin,dev,etc,lib/wtrack,proc,sys,tests,bench,lacking}
	cp /bin/busybox "$tree/bin/"
	for applet in $(/bin/busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
	done
	cp "$HOST/init" "$tree/init"
	cp "$HOST/klog-patterns" "$tree/lib/wtrack/"
	printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' \
		>"$tree/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$tree/etc/group"
}

copy_libraries()
{
	local library
	(ldd "$1" 2>/dev/null || true) |
		sed -nE 's,^[^/]*(/[^ ]+) \(0x.*,\1,p' |
		while read -r library; do
			mkdir -p "$tree${library%/*}"
			cp -Ln "$library" "$tree$library"
		done
}

copy()
{
	local from=${1%%:*} to=$tree${1#*:} file
	if [ -d "$from" ]; then
		mkdir -p "$to"
		cp -a "$from/." "$to/"
	else
		mkdir -p "${to%/*}"
		cp -aH "$from" "$to"
	fi
	find -L "$to" -type f -perm /111 | while read -r file; do
		copy_libraries "$file"
	done
}

# An emulated processor reads all of it. Kernel messages need symbols, no more.
strip_all()
{
	find "$tree"/{bench,lacking,lib,tests} -type f ! -name '*.ko' -perm /111 \
		-exec strip {} + 2>/dev/null || true
	find "$tree/lib" -name '*.ko' -exec strip --strip-debug {} +
}

make_base
modules=(kvm_amd kvm_intel)
for name in brd fuse; do
	! modules_needed "$kernel" $name >/dev/null 2>&1 || modules+=("$name")
done
modules_copy "$kernel" "$tree" "${modules[@]}"
for what in "$@"; do
	copy "$what"
done
strip_all
mkdir -p "$(dirname "$out")"
(cd "$tree" && find . | cpio -o -H newc -R +0:+0 --quiet) >"$out.new"
mv "$out.new" "$out"
