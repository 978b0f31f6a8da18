#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# Checks the manual: that it has all there is, nothing that is not, and that
# what it shows is right. Each check is also shown something wrong, which it
# has to find. Prints TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"

man=$BUILD/man
WORK=$BUILD/man-check
nr=0
passed=0
failed=0

# alone COMMAND...: in a shell of its own, where any failure counts
alone()
{
	bash -c 'set -euo pipefail
		for part in pages examples; do . "$TOP/tests/man/$part.sh"; done
		"$@"' alone "$@" 2>&1
}

# check NAME COMMAND...
check()
{
	local name=$1 out
	shift
	nr=$((nr + 1))
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		printf 'ok %d - %s\n' "$nr" "$name"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' "$nr" "$name"
		printf '%s\n' "$out" | sed 's/^/# /'
	fi
}

must_fail()
{
	if alone "$@"; then
		echo "was not noticed"
		return 1
	fi
}

# good NAME COMMAND...
good()
{
	check "$1" alone "${@:2}"
}

# bad NAME COMMAND...
bad()
{
	check "$1" must_fail "${@:2}"
}

# changed PAGE SED-SCRIPT: a copy of a page, which the script has to change
changed()
{
	local copy
	copy=$(mktemp -d -p "$WORK/bad")/${1##*/}
	sed -E "$2" "$1" >"$copy"
	! cmp -s "$1" "$copy" || die "nothing is changed by $2"
	echo "$copy"
}

# both_ways NAME COMMAND PAGE ITEM OTHER: right as it is, wrong without the line
# that matches ITEM, wrong with one more, where OTHER stands for what differs
both_ways()
{
	local page=$man/$3
	good "$3: $1" "$2" "$page"
	bad "$3: $1, one is missing" "$2" "$(changed "$page" "0,/$4/{/$4/d}")"
	bad "$3: $1, one too many" "$2" \
		"$(changed "$page" "0,/$4/{/$4/{p;s/$4/$5/}}")"
}

check_library()
{
	local copy=$WORK/bad/links map=$TOP/libwtrack/libwtrack.map
	cp -a "$man" "$copy"
	rm "$copy/wtrack_strerror.3"
	good "every exported function has a page, and no other" \
		functions_have_pages "$man" "$map"
	bad "a function without a page is found" \
		functions_have_pages "$copy" "$map"
	ln -s wtrack_error.3 "$copy/wtrack_strerror.3"
	ln -s wtrack_error.3 "$copy/wtrack_nothing.3"
	bad "a page of no function is found" functions_have_pages "$copy" "$map"
}

check_device()
{
	both_ways "all constants and calls" constants_have_text kvm_wtrack.4 \
		'^\.It Dv KVM_WTRACK_FENCE$' '.It Dv KVM_WTRACK_NOTHING'
	both_ways "all fields of all structs" fields_have_text kvm_wtrack.4 \
		'^\.It Fa nr_changes$' '.It Fa nothing'
	both_ways "all errors" errnos_have_text kvm_wtrack.4 \
		'^\.It Er ERANGE$' '.It Er EXDEV'
	both_ways "all parameters" parameters_have_text kvm_wtrack.4 \
		'^\.It Cm guard_max_ms$' '.It Cm nothing'
	bad "kvm_wtrack.4: a wrong default is found" parameters_have_text \
		"$(changed "$man/kvm_wtrack.4" 's/default 1024/default 1025/')"
	both_ways "all lines of fdinfo" fdinfo_has_text kvm_wtrack.4 \
		'^\.It Li wtrack-merged ' '.It Li wtrack-nothing '
	both_ways "all tracepoints" tracepoints_have_text kvm_wtrack.4 \
		'^\.It Li kvm_wtrack_ring$' '.It Li kvm_wtrack_nothing'
}

check_form()
{
	good "all pages pass mandoc's lint" lint "${pages[@]}"
	bad "lint: a style that mandoc does not like is found" lint \
		"$(changed "$man/wtrackd.8" 's/^\.Sh FILES/.Pp\n.Sh FILES/')"
	good "all references lead to a page" references "$man" "${pages[@]}"
	bad "a reference to no page is found" references "$man" \
		"$(changed "$man/wtrackd.8" 's/^\.Xr wtrackctl 1/.Xr wtrackctl 8/')"
	good "each page is referred to" unreferenced "$man"
	bad "a page that nothing refers to is found" unreferenced "$WORK/lonely"
}

check_examples()
{
	local page=$man/libwtrack.3
	good "all displays say what they are" displays_have_kinds "${pages[@]}"
	bad "a display that does not is found" displays_have_kinds \
		"$(changed "$page" '/^\.\\" C program/d')"
	good "programs compile and link" programs_link "${pages[@]}"
	bad "a program that calls what is not there is found" programs_link \
		"$(changed "$page" 's/wtrack_session_wait\(/wtrack_wait(/')"
	page=$man/wtrack_resync.3
	good "pieces of programs compile and link" fragments_link "${pages[@]}"
	bad "one that does not is found" fragments_link \
		"$(changed "$page" 's/reread\(&range/reread(\&ranges/')"
	good "structs compile" definitions_compile "${pages[@]}"
	bad "one that does not is found" definitions_compile \
		"$(changed "$page" 's/uint64_t nr_pages;/uint64_t nr_pages/')"
	good "commands are such as a shell understands" \
		shells_parse "${pages[@]}"
	bad "one that is not is found" shells_parse \
		"$(changed "$man/wtrackd.conf.5" 's/^journalctl.*/& "/')"
}

make -s -C "$TOP/libwtrack" BUILD="$BUILD" >&2
make -s -C "$TOP/man" BUILD="$BUILD" >&2
rm -rf "$WORK"
mkdir -p "$WORK/bad" "$WORK/lonely"
cp "$man/wtrackd.8" "$WORK/lonely"
mapfile -t pages < <(find "$man" -type f -name '*.[1-8]' | sort)

check_library
check_device
check_form
check_examples

printf '1..%d\n' "$nr"
result_add man "$passed" "$failed"
[ "$failed" = 0 ]
