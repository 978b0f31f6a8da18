#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: bench-cost.sh [--record] [KERNEL]
#
# Counts the instructions that a vCPU pays for an event, in a host whose clock
# counts instructions, and fails when a figure has grown by more than 3 % over
# the recorded one, or when what the module adds to KVM's own cost is above the
# limits that docs/PERFORMANCE.md names. The programs print their figures as "# cost NAME VALUE".
# With --record the figures of this run become the record.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/tap.sh"

PERCENT=3
record=0
if [ "${1:-}" = --record ]; then
	record=1
	shift
fi
kernel=${1:-6.12}
recorded=$HOST/bench-cost-$kernel
measured=$BUILD/run/bench-cost/figures

measure()
{
	local status=0
	rm -f "$measured"
	"$HOST/run.sh" --icount --part bench-cost "$kernel" nested || status=$?
	tr -d '\r' <"$BUILD/run/bench-cost/tap.log" |
		sed -nE 's/^# cost ([^ ]+) ([0-9.]+)$/\1 \2/p' >"$measured"
	return $status
}

write_record()
{
	{
		echo "# SPDX-License-Identifier: GPL-2.0-or-later"
		echo "# Written by bench-cost.sh --record: instructions," \
			"Linux $(cat "$("$HOST/kernel.sh" "$kernel")/release")"
		cat "$measured"
	} >"$recorded"
	say RECORD "$recorded"
}

# compare NAME NOW BEFORE
compare()
{
	local what="$1: $2 instructions, recorded ${3:-nowhere}"
	if [ -n "$3" ] && awk -v now="$2" -v before="$3" -v p=$PERCENT \
		'BEGIN { exit now > before * (1 + p / 100) + 1 }'; then
		tap_case ok "" "$what"
	else
		tap_case not "" "$what"
	fi
}

# limit NAME OVER MAX: instructions that NAME may take more than OVER
limit()
{
	local what more
	more=$(awk -v a="$1" -v b="$2" '$1 == a { x = $2 } $1 == b { y = $2 }
		END { if (x && y) print x - y }' "$measured")
	what="$1 takes ${more:-no} instructions more than $2, at most $3"
	if [ -n "$more" ] && [ "$more" -le "$3" ]; then
		tap_case ok "" "$what"
	else
		tap_case not "" "$what"
	fi
}

check_limits()
{
	limit one_session floor 415
	limit two_sessions one_session 140
	limit untracked_near floor 215
	limit untracked_far floor 200
}

compare_all()
{
	local name now before
	tap_begin bench-cost
	while read -r name now; do
		before=$(awk -v n="$name" '$1 == n { print $2 }' "$recorded")
		compare "$name" "$now" "$before"
	done <"$measured"
	grep -v '^#' "$recorded" | while read -r name before; do
		grep -q "^$name " "$measured" || echo "$name"
	done >"$measured.missing"
	while read -r name; do
		tap_fail bench-cost "$name was not measured"
	done <"$measured.missing"
}

measure
if [ $record = 1 ]; then
	write_record
else
	compare_all
	check_limits
	result_add bench-cost "$TAP_PASSED" "$TAP_FAILED"
fi
[ "$TAP_FAILED" = 0 ]
