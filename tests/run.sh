#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make check: everything, on two processors. While the debug kernel is built,
# and what runs on it is run, the rest of the tests run: each emulated host
# keeps one processor busy. The last line is the sum of the results that the
# parts left.
set -uo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$TOP/tests/lib/results.sh"

PARTS=(unit-plain unit-asan unit-tsan abi docs demo
	host-6.12-nested host-6.12-shadow host-6.1-nested host-6.1-shadow
	host-newest-nested boot-6.12-nested boot-6.1-nested host-debug-nested bench-cost)
debug_log=$BUILD/log/check-debug

# A target that fails has left its result.
part()
{
	say CHECK "$*"
	make -C "$TOP" --no-print-directory "$@" </dev/null || true
}

start_debug()
{
	say CHECK "check-debug, in the background; the first time a kernel is built"
	setsid make -C "$TOP" --no-print-directory check-debug \
		</dev/null >"$debug_log" 2>&1 &
	debug=$!
	trap 'kill -- -$debug 2>/dev/null' EXIT
}

finish_debug()
{
	say CHECK "check-debug"
	tail -n +1 -s 1 -f --pid="$debug" "$debug_log"
	wait "$debug"
	trap - EXIT
}

check_host()
{
	local kernel paging
	for kernel in 6.12 6.1; do
		for paging in nested shadow; do
			part check-host KERNEL=$kernel PAGING=$paging
		done
	done
	part check-host KERNEL=newest PAGING=nested
}

check_boot()
{
	local kernel
	for kernel in 6.12 6.1; do
		part check-boot KERNEL=$kernel PAGING=nested
	done
}

unset MAKEFLAGS MFLAGS MAKELEVEL
"$HOST/packages.sh" check || exit 1
mkdir -p "$BUILD/log"
rm -f "$RESULTS"
# Once, before two lanes want them at the same time.
"$HOST/guest-programs.sh" || true
start_debug
part check-unit
part check-abi
check_host
check_boot
# With what the hosts saw.
part check-docs
part demo
part bench-cost
finish_debug
echo
result_total "${PARTS[@]}"
