#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh [OPTION]... KERNEL [TESTS]
#
# Boots a Debian 12 with systemd on KERNEL (6.1 or 6.12) in an emulated AMD
# host, with all that this tree installs, and runs the cases of tests/system
# whose names match one of the patterns TESTS. Fails when one of them fails, the kernel
# complains, a unit has failed or a program dumps core.
#
#	--packages	what is in build/packages instead of what this tree
#			installs, and the cases of tests/packages
#	--limit S	seconds that one case may take (300), by its clock
#	--work S	seconds of processor time that QEMU may use (3600)
set -euo pipefail
. "$(dirname "$0")/../../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/tap.sh"
. "$TOP/tests/lib/outside.sh"
. "$TOP/tests/lib/line.sh"

HERE=$TOP/tests/system/host
limit=300
work=3600
what=tree
part=system
cpu=qemu64,+svm,+npt,+ssse3,+sse4.1,+movbe,+xsave,+xsaveopt,+avx,+avx2,+rdrand

while [ $# -gt 0 ]; do
	case $1 in
	--limit) limit=$2; shift ;;
	--work) work=$2; shift ;;
	--packages) what=packages part=packages-host ;;
	-*) die "unknown option $1" ;;
	*) break ;;
	esac
	shift
done
kernel=${1:?usage: run.sh [OPTION]... KERNEL [TESTS]}
tests=${2:-*}
part=$part-$kernel
run=$BUILD/run/$part

# The clock counts instructions: neither timers nor time limits depend on how
# busy this machine is, and nobody waits while all sleep. The root file system
# is memory, of which writes change a copy, because that clock would run ahead
# while a disk is waited for.
start_host()
{
	local line="$HOST_LINE $HOST_LINE_QEMU oops=panic"
	line+=" systemd.unit=wtrack-tests.target systemd.show_status=0"
	line+=" systemd.getty_auto=0 systemd.mask=getty@tty1.service"
	line+=" systemd.mask=apt-daily.timer systemd.mask=apt-daily-upgrade.timer"
	# Python brings a format; this host has no module for such.
	line+=" systemd.mask=systemd-binfmt.service"
	line+=" wtrack.limit=$limit wtrack.tests=${tests// /,}"
	local memory=memory-backend-file,id=root,share=off,mem-path=$image
	memory+=,size=$(stat -c %s "$image")
	rm -f "$run"/*.log
	: >"$run/tap.log"
	"$TOP/tests/lib/limited" "$work" qemu-system-x86_64 \
		-accel tcg,thread=single -icount shift=0,sleep=off \
		-M pc,nvdimm=on -cpu "$cpu" -m 2048M,slots=1,maxmem=8G \
		-object "$memory" \
		-device nvdimm,memdev=root \
		-kernel "$directory/vmlinuz" \
		-initrd "$run/initramfs" -append "$line" \
		-nic none -display none -monitor none \
		-serial "file:$run/console.log" -serial "file:$run/tap.log" \
		-serial "file:$run/journal.log" \
		-no-reboot </dev/null >"$run/emulator.log" 2>&1 &
	qemu=$!
	trap 'kill $qemu 2>/dev/null || true' EXIT
}

mkdir -p "$run"
directory=$("$HOST/kernel.sh" "$kernel")
image=$("$HERE/root.sh")
"$HERE/tree.sh" "$kernel" "$run/tree" "$what"
"$HERE/initramfs.sh" "$run/initramfs" "$kernel" "$run/tree"
say BOOT "a Debian 12 with systemd on Linux $kernel"
start=$SECONDS
start_host
tap_read < <(tail -q -n +1 -s 0.1 -f --pid=$qemu "$run/tap.log")
host_check "$qemu" QEMU "$run"
result_add "$part" "$TAP_PASSED" "$TAP_FAILED"
say DONE "$part: $(tap_sum)" \
	"($((SECONDS - start)) s)"
[ "$TAP_FAILED" = 0 ]
