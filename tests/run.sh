#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make check: everything, in two lanes, as an emulated host keeps one processor
# busy. One of them is in the background, and what it printed follows at the
# end. The last line is the sum of the results that the parts left.
set -uo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$TOP/tests/lib/results.sh"

PARTS=(unit-plain unit-asan unit-tsan abi ctl man docs system-6.12 demo
	bench-cost
	host-6.12-nested host-6.12-shadow host-6.1-nested host-6.1-shadow
	host-newest-nested host-debug-nested
	boot-6.12-nested boot-6.1-nested)
lane_log=$BUILD/log/check-lane

# Not fdstore_restart, whose hundred restarts take minutes.
system_cases="access boot client ctl_* daemon_* metrics_http monitor record"
system_cases+=" top units watch_*"

# A target that fails has left its result.
part()
{
	say CHECK "$*"
	make -C "$TOP" --no-print-directory "$@" </dev/null || true
}

# The first time, the debug kernel is built here.
other_lane()
{
	part check-debug
	check_boot
	part check-host KERNEL=newest PAGING=nested
}

start_other_lane()
{
	say CHECK "debug kernel, whole guests, newest kernel, in the background"
	set -m
	other_lane >"$lane_log" 2>&1 &
	lane=$!
	set +m
	trap 'kill -- -$lane 2>/dev/null' EXIT
}

finish_other_lane()
{
	say CHECK "what ran in the background"
	tail -n +1 -s 1 -f --pid="$lane" "$lane_log"
	wait "$lane"
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
start_other_lane
part check-unit
part check-abi
part check-ctl
part check-man
part check-system TESTS="$system_cases"
check_host
part demo
part bench-cost
finish_other_lane
# With what the hosts saw.
part check-docs
echo
result_total "${PARTS[@]}"
