#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh VARIANT DIR PATTERN PROGRAM...
#
# Runs the PROGRAMs below DIR whose names there match PATTERN, counts their
# cases, and fails when one of them did. LIMIT is the seconds of processor time
# that each may use.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/tap.sh"

variant=${1:?usage: run.sh VARIANT DIR PATTERN PROGRAM...}
dir=$2
pattern=$3
shift 3

export CMOCKA_MESSAGE_OUTPUT=TAP
export UBSAN_OPTIONS=print_stacktrace=1
wrap=()
# ThreadSanitizer needs its own part of the address space to be free.
if [ "$variant" = tsan ] && setarch -R true 2>/dev/null; then
	wrap=(setarch -R)
fi

# run_program PROGRAM NAME
run_program()
{
	local log=$1.log status=0 start=$SECONDS
	"$TOP/tests/lib/limited" "${LIMIT:-300}" "${wrap[@]}" "$1" >"$log" 2>&1 || status=$?
	tap_begin "$variant/$2"
	tap_read <"$log"
	tap_end "$variant/$2" "$status" "$((SECONDS - start))"
}

for program; do
	name=${program#"$dir"/}
	# shellcheck disable=SC2053 # a pattern is what it is
	[[ $name == $pattern ]] && run_program "$program" "$name"
done
result_add "unit-$variant" "$TAP_PASSED" "$TAP_FAILED"
printf '%s: %s\n' "unit-$variant" "$(tap_sum)"
[ "$TAP_PASSED" -gt 0 ] && [ "$TAP_FAILED" = 0 ]
