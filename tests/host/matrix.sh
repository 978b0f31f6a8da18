#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: matrix.sh [PATTERN [TESTS]]
#
# Runs the guest tests on each combination of kernel, vendor and paging whose
# name (6.1-amd-nested) matches PATTERN, two at a time, as an emulated host
# keeps one processor busy. What they print is in build/log/matrix-NAME, and a
# table is the end.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"

LANES=${LANES:-2}
pattern=${1:-*}
tests=${2:-*}

# Those on Intel take longest: they come first.
combinations()
{
	local cpu kernel paging name
	for cpu in intel amd; do
		for kernel in 6.12 6.1 6.12-trixie newest; do
			for paging in nested shadow; do
				name=$kernel-$cpu-$paging
				# shellcheck disable=SC2053 # it is a pattern
				[[ $name != $pattern ]] ||
					echo "$kernel $cpu $paging"
			done
		done
	done
}

# run_one TESTS KERNEL CPU PAGING: leaves its result in a file of its own, with
# the seconds that it took
run_one()
{
	local name=$2-$3-$4 start=$SECONDS
	export RESULTS=$BUILD/matrix/$name
	say START "$name"
	"$HOST/run.sh" --cpu "$3" "$2" "$4" "$1" \
		</dev/null >"$BUILD/log/matrix-$name" 2>&1 ||
		grep '^NOT OK' "$BUILD/log/matrix-$name" ||
		tail -n 5 "$BUILD/log/matrix-$name"
	grep -qs '^host-' "$RESULTS" || result_add "host-$name" 0 1
	sed -i "/^host-/s/\$/ $((SECONDS - start))/" "$RESULTS"
	say END "$name: $(sed -n '/^host-/s/^[^ ]* //p' "$RESULTS")"
}

# row KERNEL CPU PAGING...
row()
{
	printf '%-20s %-6s %-6s %6s %6s %6s\n' "$@"
}

# version KERNEL CPU PAGING: the kernel's own, if it came up
version()
{
	local cpu=-$2
	sed -nE 's/^@@ host ([^ ]+) .*/\1/p' \
		"$BUILD/run/host-$1${cpu#-amd}-$3/tap.log" 2>/dev/null || true
}

table()
{
	local kernel cpu paging passed failed seconds release
	row kernel vendor paging passed failed time
	while read -r kernel cpu paging; do
		read -r _ passed failed seconds < <(grep '^host-' \
			"$BUILD/matrix/$kernel-$cpu-$paging")
		release=$(version "$kernel" "$cpu" "$paging")
		row "${release:-$kernel}" "$cpu" "$paging" "$passed" "$failed" \
			"$((seconds / 60)):$(printf %02d $((seconds % 60)))"
	done
}

if [ "$pattern" = --one ]; then
	shift
	run_one "$@"
	exit
fi
"$HOST/packages.sh" intel
mkdir -p "$BUILD/log" "$BUILD/matrix"
rm -f "$BUILD"/matrix/*
combinations >"$BUILD/log/matrix"
[ -s "$BUILD/log/matrix" ] || die "no combination matches $pattern"
"$HOST/guest-programs.sh"
xargs -P "$LANES" -L 1 "$0" --one "$tests" <"$BUILD/log/matrix"
table <"$BUILD/log/matrix"
awk '/^host-/ { failed += $3 } END { exit failed > 0 }' "$BUILD"/matrix/*
