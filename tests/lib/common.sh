# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by every script of the test bed: where things are, how to speak.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$TOP/build
CACHE=${KVM_WTRACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kvm-wtrack}
HOST=$TOP/tests/host
export TOP BUILD CACHE HOST

case $TOP in
*[[:space:]]*)
	printf '%s: the tree has to be in a directory without spaces, not "%s"\n' \
		"${0##*/}" "$TOP" >&2
	exit 1
	;;
esac

# Progress goes to stderr: stdout belongs to a script's result.
say()
{
	local tag=$1
	shift
	printf '  %-8s%s\n' "$tag" "$*" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# run_logged LOG COMMAND...: silent unless it fails, or V=1 is set
run_logged()
{
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	if [ "${V:-0}" = 1 ]; then
		"$@" 2>&1 | tee "$log" >&2
		return
	fi
	"$@" >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	printf '%s: failed: %s (all of it in %s)\n' "${0##*/}" "$*" "$log" >&2
	return 1
}
