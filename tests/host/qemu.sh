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
# Linux 6.1 waits for its second processor in a way that leaves it no turn, as
# long as there are no timers.
late=
case $kernel in
6.1*) [ "$smp" = 1 ] || late=1 ;;
esac
# Processors that a clock of instructions makes wait for each other.
turns=0
case $smp-${accel[*]} in
1-*) ;;
*icount*) turns=1 ;;
esac
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
		-append "$HOST_LINE_QEMU ${late:+maxcpus=1 }$1" \
		-nic none -display none -monitor none \
		-serial "file:$run/console.log" -serial "file:$run/tap.log" \
		-no-reboot </dev/null >"$run/emulator.log" 2>&1 &
	pid=$!
}
