#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh [OPTION]... KERNEL PAGING [TESTS]
#
# Boots an emulated host with KERNEL (6.1, 6.12, newest or debug) and PAGING
# (nested or shadow), runs the guest tests whose names match one of the patterns
# TESTS, and fails when one of them or the kernel complains. On a kernel without
# the option (6.1-cloud, 6.12-cloud) it runs what is in lacking/.
#
#	--cpu amd|intel		in QEMU or in Bochs (amd)
#	--icount		one processor, one nanosecond of its clock for
#				each instruction; runs what is in bench/
#	--smp N			processors; QEMU's (2) take turns of 100 ms, so
#				two are slower where they wait for each other,
#				as in QEMU with a Linux guest; Bochs' (1) are as
#				slow together as one
#	--mem M			megabytes (2048)
#	--features LIST		what QEMU's processor has besides, or has not:
#				+la57, or -smap,-smep
#	--set NAME=VALUE	what a program asks the command line for
#	--limit S		seconds that one program may take (600), by the
#				host's clock, which counts instructions
#	--work S		seconds of processor time that the emulator may
#				use (3600; Bochs: 10800)
#	--copy SOURCE:DEST	put a file or directory into the host
#	--script FILE		run this in the host instead of the tests
#	--dir DIR		run what was copied to /DIR instead of the tests
#	--part NAME		name in the results file
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/tap.sh"
. "$TOP/tests/lib/outside.sh"
. "$TOP/tests/lib/line.sh"

cpu=amd
limit=600
part=
script=
programs=tests
copies=()
settings=
# For the emulator: 0, or nothing, is as it likes it.
export emulator='' icount=0 smp='' mem=2048 work='' features=''

while [ $# -gt 0 ]; do
	case $1 in
	--cpu) cpu=$2; shift ;;
	--icount)
		icount=1
		smp=1
		programs=bench
		;;
	--smp) smp=$2; shift ;;
	--mem) mem=$2; shift ;;
	--features) features=$2; shift ;;
	--set) settings+=" wtrack.$2"; shift ;;
	--limit) limit=$2; shift ;;
	--work) work=$2; shift ;;
	--copy) copies+=("$2"); shift ;;
	--script) script=$2; shift ;;
	--dir) programs=$2; shift ;;
	--part) part=$2; shift ;;
	-*) die "unknown option $1" ;;
	*) break ;;
	esac
	shift
done
kernel=${1:?usage: run.sh [OPTION]... KERNEL PAGING [TESTS]}
paging=${2:?usage: run.sh [OPTION]... KERNEL PAGING [TESTS]}
tests=${3:-*}

case $paging in
nested | shadow) ;;
*) die "PAGING is nested or shadow, not $paging" ;;
esac
lacking=()
case $kernel in
*-cloud)
	lacking=(--lacking)
	programs=lacking
	;;
esac
case $cpu in
amd)
	part=${part:-host-$kernel-$paging}
	. "$HOST/qemu.sh"
	;;
intel)
	part=${part:-host-$kernel-intel-$paging}
	. "$HOST/bochs.sh"
	;;
*) die "CPU is amd or intel, not $cpu" ;;
esac
run=$BUILD/run/$part

find_kernel()
{
	case $kernel in
	debug) "$HOST/debug-kernel.sh" ;;
	*) "$HOST/kernel.sh" "$kernel" ;;
	esac
}

is_wanted()
{
	local pattern
	for pattern in "${patterns[@]}"; do
		# shellcheck disable=SC2053 # they are patterns
		[[ $1 != $pattern && $1 != ${pattern}_* ]] || return 0
	done
	return 1
}

# Those that init will run, and what they need.
add_programs()
{
	local file name patterns
	read -ra patterns <<<"$tests"
	"$HOST/guest-programs.sh"
	for file in "$BUILD/guest/$programs"/*; do
		name=${file##*/}
		! is_wanted "$name" || copies+=("$file:/$programs/$name")
	done
	copies+=("$BUILD/guest/lib:/lib")
}

# The module as it is built for the same kernel with the option.
add_ordinary()
{
	local series=${kernel%-cloud}
	"$HOST/module.sh" "$("$HOST/kernel.sh" "$series")" "$BUILD/$series"
	copies+=("$BUILD/$series/host/kvm-wtrack.ko:/lib/ordinary.ko")
}

make_initramfs()
{
	"$HOST/module.sh" "${lacking[@]}" "$directory" "$BUILD/$kernel"
	case $programs in
	tests | bench) add_programs ;;
	lacking)
		add_programs
		add_ordinary
		;;
	esac
	copies+=("$BUILD/$kernel/host:/lib")
	[ -z "$script" ] || copies+=("$script:/script")
	"$HOST/initramfs.sh" "$run/initramfs" "$directory" "${copies[@]}"
}

start_host()
{
	local line=$HOST_LINE
	line+=" wtrack.cpu=$cpu wtrack.paging=$paging wtrack.limit=$limit"
	line+=" wtrack.dir=/$programs$settings"
	[ -z "$script" ] || line+=" wtrack.script=/script"
	[ $programs != lacking ] || line+=" wtrack.load=0"
	[ "${turns:-0}" = 0 ] || [ $programs = lacking ] ||
		line+=" wtrack.turns=1"
	[ "$kernel" != debug ] || line+=" panic_on_warn=1"
	: >"$run/console.log"
	: >"$run/tap.log"
	emulator_start "$line"
	trap 'kill $pid 2>/dev/null || true' EXIT
}

mkdir -p "$run"
directory=$(find_kernel)
make_initramfs
say BOOT "$kernel on $cpu, $paging paging, $smp processors${script:+, $script}"
start=$SECONDS
start_host
tap_read < <(tail -q -n +1 -s 0.1 -f --pid=$pid "$run/tap.log")
host_check "$pid" "$emulator" "$run"
result_add "$part" "$TAP_PASSED" "$TAP_FAILED"
say DONE "$part: $(tap_sum)" \
	"($((SECONDS - start)) s)"
[ "$TAP_FAILED" = 0 ]
