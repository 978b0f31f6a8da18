# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Checks of this machine's own, as TAP: "check NAME COMMAND..." for each, then
# "check_finish PART". Sourced, after common.sh and results.sh.

check_nr=0
check_failed=0

check_report()
{
	check_nr=$((check_nr + 1))
	if [ "$1" = ok ]; then
		printf 'ok %d - %s\n' "$check_nr" "$2"
	else
		check_failed=$((check_failed + 1))
		result_failure "$2"
		printf 'not ok %d - %s\n' "$check_nr" "$2"
		printf '%s\n' "$3" | sed 's/^/# /'
	fi
}

# check NAME COMMAND...: it succeeds, and has nothing to say
check()
{
	local name=$1 out
	shift
	if out=$("$@" 2>&1) && [ -z "$out" ]; then
		check_report ok "$name"
	else
		check_report not "$name" "$out"
	fi
}

# if_it_fails COMMAND...: what it says counts only then
if_it_fails()
{
	local out
	out=$("$@" 2>&1) || {
		printf '%s\n' "$out"
		return 1
	}
}

# check_finish PART
check_finish()
{
	printf '1..%d\n' "$check_nr"
	result_add "$1" "$((check_nr - check_failed))" "$check_failed"
	[ "$check_failed" = 0 ]
}
