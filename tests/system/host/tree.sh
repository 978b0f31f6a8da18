#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: tree.sh KERNEL OUT [packages]
#
# Assembles in OUT what is added to the root image when the systemd host boots:
# this tree as a package would install it, the module and KVM for KERNEL, the
# cases with their programs, and the guest of their VMs. Or, instead of this
# tree and its module, the packages that are in build/packages.
set -euo pipefail
. "$(dirname "$0")/../../lib/common.sh"
. "$TOP/tests/lib/modules.sh"

kernel=${1:?usage: tree.sh KERNEL OUT}
out=${2:?usage: tree.sh KERNEL OUT}
what=${3:-tree}
directory=$("$HOST/kernel.sh" "$kernel")
release=$(cat "$directory/release")
system=$TOP/tests/system
place=$out/usr/lib/wtrack-tests

# As Debian's packages do it: what is the machine's own in /usr/local otherwise.
install_tree()
{
	make -C "$TOP" --no-print-directory install DESTDIR="$out" PREFIX=/usr \
		LIBDIR=/usr/lib/x86_64-linux-gnu \
		PYTHONDIR=/usr/lib/python3/dist-packages
}

install_module()
{
	mkdir -p "$out/lib/modules/$release/updates"
	cp "$BUILD/$kernel/host/kvm-wtrack.ko" \
		"$out/lib/modules/$release/updates/"
	depmod -b "$out" "$release" 2>/dev/null
}

install_modules()
{
	modules_copy "$directory" "$out" kvm_amd autofs4 fuse
	[ "$what" = packages ] || install_module
	mkdir -p "$out/usr/lib"
	mv "$out/lib/modules" "$out/usr/lib/"
	rmdir "$out/lib"
}

install_tests()
{
	mkdir -p "$place/bin"
	cp -r "$system/host/root/." "$out/"
	cp "$system/host/"{run-cases,prepare} "$HOST/klog-patterns" \
		"$TOP/docs/INSTALL.md" "$place/"
	if [ "$what" = packages ]; then
		# The package makes this group, and removes it.
		sed -i '/kvm-wtrack-any/d' \
			"$out/usr/lib/sysusers.d/wtrack-tests.conf"
		cp -r "$system"/lib*.sh "$TOP/tests/packages"/host/*.sh \
			"$BUILD"/packages/{deb,next,prebuilt} "$place/"
	else
		cp "$system"/*.sh "$place/"
	fi
	cp "$directory/vmlinuz" "$BUILD"/system/{guest.cpio,bare.rom} \
		"$place/"
	find "$BUILD/system/programs" "$BUILD/examples" -type f -perm /111 \
		-exec cp {} "$place/bin/" \; 2>/dev/null || true
	cp "$TOP"/examples/python/*.py "$system"/programs/*.py "$place/bin/"
}

unset MAKEFLAGS MFLAGS MAKELEVEL
[ "$what" = packages ] || "$HOST/module.sh" "$directory" "$BUILD/$kernel"
exec 9>"$BUILD/guest.lock"
flock 9
rm -rf "$out"
mkdir -p "$out"
run_logged "$BUILD/log/system-make" make -C "$TOP" --no-print-directory all
run_logged "$BUILD/log/system-programs" make -C "$system" --no-print-directory
[ "$what" = packages ] || run_logged "$BUILD/log/system-install" install_tree
install_modules
install_tests
