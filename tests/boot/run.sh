#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh KERNEL PAGING
#
# A whole stock guest with every page of its memory tracked, in an emulated
# host: see main.c. The figures are lines "# boot NAME VALUE".
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

kernel=${1:?usage: run.sh KERNEL PAGING}
paging=${2:?usage: run.sh KERNEL PAGING}
out=$BUILD/boot

unset MAKEFLAGS MFLAGS MAKELEVEL
directory=$("$HOST/kernel.sh" "$kernel")
for part in libwtrack tests/boot; do
	run_logged "$BUILD/log/boot-${part##*/}" \
		make --no-print-directory -C "$TOP/$part"
done
"$HOST/qemu-tree.sh" "$out/qemu"
# Its clock counts instructions: how much a page gets done in a period of its
# budget does not depend on how busy this machine is.
exec "$HOST/run.sh" --icount --limit 3600 --work 7200 \
	--part "boot-$kernel-$paging" \
	--copy "$out/qemu:/" --copy "$out/follow:/boot/follow" \
	--copy "$out/guest.cpio:/boot/guest.cpio" \
	--copy "$directory/vmlinuz:/boot/vmlinuz" \
	--copy "$TOP/tests/boot/host.sh:/programs/boot" --dir programs \
	"$kernel" "$paging"
