#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: counting.sh
#
# What tests/lib makes of TAP: cases that pass, that fail, that are known to fail,
# and that are known to fail and pass. Says what is not as it should be.
set -uo pipefail
. "$(dirname "$0")/../lib/common.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
RESULTS=$scratch/results
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/tap.sh"

# wanted WHAT WANTED SEEN
wanted()
{
	[ "$2" = "$3" ] || echo "$1: wanted \"$2\", saw \"$3\""
}

# sum STATUS LINE...: of a program that printed these lines and exited so
sum()
{
	local status=$1
	shift
	rm -f "$RESULTS"
	(
		part=try
		tap_read < <(printf '%s\n' '@@ begin one' "$@" \
			"@@ end one $status 1") >"$scratch/out"
		result_add try "$TAP_PASSED" "$TAP_FAILED"
		tap_sum
	)
}

# total STATUS: the last line of the sum of all parts, which has that status
total()
{
	local status=0
	result_total try >"$scratch/total" || status=$?
	wanted "status of the sum" "$1" $status
	tail -n 1 "$scratch/total"
}

has()
{
	grep -qF -- "$2" "$1" || { echo "\"$2\" is missing in:"; cat "$1"; }
}

wanted "a case that passes" "1 passed, 0 failed" \
	"$(sum 0 'ok 1 - a' 1..1)"
wanted "one that fails" "1 passed, 1 failed" \
	"$(sum 1 'ok 1 - a' 'not ok 2 - b' 1..2)"
# What make check prints last names the failure, and what was said about it.
wanted "one that says why it failed" "1 passed, 1 failed" \
	"$(sum 1 '# of the first' 'ok 1 - a' '# b.c:7: 1 is not 2' \
		'not ok 2 - b' '# of the next' 1..2)"
wanted "its sum" "1 passed, 1 failed" "$(total 1)"
wanted "the lines before the sum" "NOT OK  try one: b
        # b.c:7: 1 is not 2" "$(tail -n 3 "$scratch/total" | head -n 2)"
wanted "a kernel that complains" "1 passed, 1 failed" \
	"$(sum 0 'ok 1 - a' 1..1 '@@ klog one' '@@ | WARNING: at b.c:9')"
wanted "its sum" "1 passed, 1 failed" "$(total 1)"
wanted "the lines before the sum" "NOT OK  try one: the kernel complained:
        | WARNING: at b.c:9" "$(tail -n 3 "$scratch/total" | head -n 2)"
wanted "one that is skipped" "0 passed, 1 failed" \
	"$(sum 0 'ok 1 - a # SKIP no time' 1..1)"
wanted "a mark without a reason" "0 passed, 1 failed" \
	"$(sum 0 'not ok 1 - a # TODO' 1..1)"
wanted "a failure that the status alone tells" "1 passed, 1 failed" \
	"$(sum 1 'ok 1 - a' 1..1)"

wanted "one that is known to fail" "1 passed, 0 failed, 1 known to fail" \
	"$(sum 0 'ok 1 - a' 'not ok 2 - b # TODO issue 7' 1..2)"
has "$scratch/out" "KNOWN   one: b (issue 7)"
wanted "its sum" "1 passed, 0 failed, 1 known to fail" "$(total 0)"
has "$scratch/total" "KNOWN   try one: b (issue 7)"

wanted "one that is known to fail, and passes" \
	"1 passed, 0 failed, 1 known to fail and passed" \
	"$(sum 0 'ok 1 - a' 'ok 2 - b # TODO issue 7' 1..2)"
has "$scratch/out" "MENDED  one: b: it passes"
wanted "its sum" "1 passed, 0 failed, 1 known to fail and passed: take their marks away" \
	"$(total 0)"
has "$scratch/total" "MENDED  try one: b (issue 7)"

wanted "one that is known to fail beside one that fails" \
	"0 passed, 1 failed, 1 known to fail" \
	"$(sum 1 'not ok 1 - a' 'not ok 2 - b # TODO issue 7' 1..2)"
wanted "its sum" "0 passed, 1 failed, 1 known to fail" "$(total 1)"
# A mark does not hide that a program died.
wanted "one that is known to fail, of a program that died" \
	"0 passed, 1 failed, 1 known to fail" \
	"$(sum 139 'not ok 1 - a # TODO issue 7')"
