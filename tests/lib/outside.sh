# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a host that has ended could not report itself. Sourced, after common.sh
# and tap.sh.

# host_check PID NAME RUN: waits for the emulator NAME, whose logs are
# in RUN
host_check()
{
	local status=0
	wait "$1" || status=$?
	trap - EXIT
	if [ "$TAP_DONE" = 0 ]; then
		case $status in
		124) tap_fail host "$(grep '^limited: ' "$3/emulator.log")" ;;
		*) tap_fail host "died ($2: $status) in ${tap_name:-boot}" ;;
		esac
		tail -n 60 "$3/emulator.log" "$3/console.log"
	fi
	if [ "$TAP_KLOG" = 0 ] &&
		grep -q -E -f "$HOST/klog-patterns" "$3/console.log"; then
		tap_fail host "the kernel complained:"
		grep -m 1 -A 60 -E -f "$HOST/klog-patterns" "$3/console.log"
	fi
}
