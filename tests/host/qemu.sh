# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The emulated AMD host; sourced by run.sh.
# shellcheck disable=SC2034,SC2154 # run.sh uses and sets them

emulator=QEMU
smp=${smp:-2}
work=${work:-3600}
# The clock counts instructions: timers and time limits in the host do not depend
# on how busy this machine is, and a host that waits takes no time. An instruction
# takes 8 ns, about what it really does, or 1 ns, which is easier to count.
shift=3
[ "$icount" = 0 ] || shift=0
accel=(-accel "tcg,thread=single" -icount "shift=$shift,sleep=off")
# Linux 6.1 waits for ever for its second processor with that clock.
case $icount-$kernel in
0-6.1*) accel=(-accel "tcg,thread=single") ;;
esac
# What one of the debug kernel's processors does between two timers may leave none of
# the time to the other one. Ordinary kernels are quicker, and slower with turns.
turns=0
[ "$kernel-$smp" != debug-2 ] || turns=1
# With all instructions that store and that this emulator knows.
processor=qemu64,+svm,+npt,+ssse3,+sse4.1,+movbe,+xsave,+xsaveopt,+avx,+avx2
# What protects systems from their users today.
processor+=,+smap,+smep,+umip,+pku${features:+,$features}

# emulator_start LINE: in the background
emulator_start()
{
	"$TOP/tests/lib/limited" "$work" qemu-system-x86_64 "${accel[@]}" \
		-cpu "$processor" -smp "$smp" -m "$mem" \
		-kernel "$directory/vmlinuz" -initrd "$run/initramfs" \
		-append "$HOST_LINE_QEMU $1" -nic none -display none -monitor none \
		-serial "file:$run/console.log" -serial "file:$run/tap.log" \
		-no-reboot </dev/null >"$run/emulator.log" 2>&1 &
	pid=$!
}
