# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Reads what an emulated host prints on its second serial port: the TAP of
# each program between "@@ begin" and "@@ end" (tests/host/init writes the @@
# lines). Counts, and prints each case as it comes. A case that is marked "# TODO
# REASON" is known to fail: it is counted by itself, and named when it passes.

# What was counted; read by those who source this.
# shellcheck disable=SC2034
TAP_PASSED=0
TAP_FAILED=0
TAP_KNOWN=0
TAP_MENDED=0
TAP_KLOG=0
TAP_DONE=0
tap_name=
tap_plan=
tap_seen=0
tap_bad=0
tap_raw=0
# The diagnostics that the current case has printed, and how many lines of a
# kernel's complaint are still noted; a cascade of thousands is cut.
TAP_LINES=8
tap_said=()
tap_klog=0

# tap_fail NAME REASON
tap_fail()
{
	local line
	TAP_FAILED=$((TAP_FAILED + 1))
	result_failure "${part:+$part }$1: $2"
	printf 'NOT OK  %s: %s\n' "$1" "$2"
	for line in "${tap_said[@]:0:TAP_LINES}"; do
		result_note said "$line"
	done
	tap_said=()
}

# tap_says LINE: what is neither a result nor a plan
tap_says()
{
	printf '        %s\n' "$1"
	if [[ $1 == '#'* ]]; then
		tap_said+=("$1")
	elif [ $tap_klog -gt 0 ]; then
		tap_klog=$((tap_klog - 1))
		result_note said "$1"
	fi
}

# tap_known ok|not NAME DESCRIPTION REASON
tap_known()
{
	if [ "$1" = not ]; then
		TAP_KNOWN=$((TAP_KNOWN + 1))
		result_note known "${part:+$part }$2: $3 ($4)"
		printf 'KNOWN   %s: %s (%s)\n' "$2" "$3" "$4"
	else
		TAP_MENDED=$((TAP_MENDED + 1))
		result_note mended "${part:+$part }$2: $3 ($4)"
		printf 'MENDED  %s: %s: it passes, and is marked as known to fail (%s)\n' \
			"$2" "$3" "$4"
	fi
}

# tap_sum: what there was of each kind
tap_sum()
{
	printf '%d passed, %d failed' "$TAP_PASSED" "$TAP_FAILED"
	[ "$TAP_KNOWN" = 0 ] || printf ', %d known to fail' "$TAP_KNOWN"
	[ "$TAP_MENDED" = 0 ] ||
		printf ', %d known to fail and passed' "$TAP_MENDED"
}

tap_begin()
{
	tap_name=$1
	tap_plan=
	tap_seen=0
	tap_bad=0
	tap_raw=0
	tap_said=()
	tap_klog=0
	[ "$1" != script ] || tap_raw=1
}

# tap_case ok|not NUMBER DESCRIPTION
tap_case()
{
	local todo='^(.*[^ ]) +# *TODO +(.*[^ ]) *$'
	tap_seen=$((tap_seen + 1))
	# Without a reason it is no mark but another directive.
	if [[ $3 =~ $todo ]]; then
		tap_known "$1" "$tap_name" "${BASH_REMATCH[1]}" \
			"${BASH_REMATCH[2]}"
	elif [ "$1" = not ]; then
		tap_bad=1
		tap_fail "$tap_name" "$3"
	elif [[ $3 == *"#"* ]]; then
		# A directive: whatever it is, the case did not do all of its work.
		tap_fail "$tap_name" "did not run: $3"
	else
		TAP_PASSED=$((TAP_PASSED + 1))
		printf 'ok      %s: %s\n' "$tap_name" "$3"
	fi
	[ -z "$2" ] || [ "$2" = "$tap_seen" ] ||
		tap_fail "$tap_name" "case $tap_seen is numbered $2"
	tap_said=()
}

# tap_end NAME STATUS SECONDS
tap_end()
{
	if [ $tap_raw = 1 ]; then
		[ "$2" = 0 ] || tap_fail "$1" "exit status $2"
	elif [ -z "$tap_plan" ]; then
		tap_fail "$1" "no plan, exit status $2"
	elif [ "$tap_plan" != "$tap_seen" ]; then
		tap_fail "$1" "$tap_seen of $tap_plan cases, exit status $2"
	elif [ "$tap_plan" = 0 ]; then
		tap_fail "$1" "no case"
	elif [ "$2" != 0 ] && [ $tap_bad = 0 ]; then
		tap_fail "$1" "exit status $2"
	fi
	printf '        %s: %s s\n' "$1" "$3"
	tap_name=
	tap_raw=0
}

tap_control()
{
	local -a word
	read -ra word <<<"$1"
	case ${word[0]} in
	host) printf '        Linux %s up after %s s\n' "${word[@]:1}" ;;
	begin) tap_begin "${word[1]}" ;;
	end) tap_end "${word[@]:1}" ;;
	fail) tap_fail "${word[1]}" "${word[*]:2}" ;;
	klog)
		TAP_KLOG=$((TAP_KLOG + 1))
		tap_fail "${word[1]}" "the kernel complained:"
		tap_klog=$TAP_LINES
		;;
	done) TAP_DONE=1 ;;
	*) tap_says "$1" ;;
	esac
}

tap_line()
{
	local number='^(not )?ok( +([0-9]+))?( +- *| +|$)(.*)$'
	case $1 in
	'@@ '*) tap_control "${1#@@ }" && return ;;
	esac
	if [ $tap_raw = 1 ]; then
		printf '%s\n' "$1"
	elif [[ $1 =~ $number ]]; then
		if [ -n "${BASH_REMATCH[1]}" ]; then
			tap_case not "${BASH_REMATCH[3]}" "${BASH_REMATCH[5]}"
		else
			tap_case ok "${BASH_REMATCH[3]}" "${BASH_REMATCH[5]}"
		fi
	elif [[ $1 =~ ^1\.\.([0-9]+) ]]; then
		tap_plan=${BASH_REMATCH[1]}
	elif [[ $1 == 'Bail out!'* ]]; then
		tap_fail "$tap_name" "$1"
	elif [[ $1 != 'TAP version '* && -n $1 ]]; then
		tap_says "$1"
	fi
}

# tap_read: from standard input
tap_read()
{
	local line
	while IFS= read -r line; do
		tap_line "${line%$'\r'}"
	done
}
