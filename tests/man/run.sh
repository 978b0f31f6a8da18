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
. "$TOP/tests/lib/check.sh"

man=$BUILD/man
WORK=$BUILD/man-check
# alone COMMAND...: in a shell of its own, where any failure counts
alone()
{
	bash -c 'set -euo pipefail
		for part in pages examples tools bus; do
			. "$TOP/tests/man/$part.sh"
		done
		"$@"' alone "$@" 2>&1
}

must_fail()
{
	if alone "$@" >/dev/null; then
		echo "was not noticed"
		return 1
	fi
}

# good NAME COMMAND...
good()
{
	check "$1" if_it_fails alone "${@:2}"
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

check_tool()
{
	both_ways "all commands" tool_has_text wtrackctl.1 \
		'^\.It Ic sessions ' '.It Ic nothing '
	both_ways "all options" tool_has_text wtrackctl.1 \
		'^\.It Fl i , -interval Ns ' '.It Fl i , -nothing Ns '
	bad "wtrackctl.1: a stream that is called none is found" tool_has_text \
		"$(changed "$man/wtrackctl.1" 's/^A stream\.$/No stream./')"
	both_ways "all exit codes" exit_codes_have_text wtrackctl.1 \
		'^\.It Li 6 ' '.It Li 9 '
	both_ways "all keys of JSON" json_keys_have_text wtrackctl.1 \
		'^\.It Li refused' '.It Li nothing'
	both_ways "all types of JSON lines" json_types_have_text wtrackctl.1 \
		'^\.It Cm idle' '.It Cm nothing'
	good "what is shown of JSON is JSON" json_examples_parse \
		"$man/wtrackctl.1"
	bad "what is none is found" json_examples_parse \
		"$(changed "$man/wtrackctl.1" 's/^(\{"schema":1.*)\}/\1/')"
}

check_configuration()
{
	both_ways "all keys" keys_have_text wtrackd.conf.5 \
		'^\.It Cm Group ' '.It Cm Nothing '
	good "wtrackd.conf.5: defaults are those of the file that is installed" \
		defaults_are_right "$man/wtrackd.conf.5"
	bad "wtrackd.conf.5: a wrong default is found" defaults_are_right \
		"$(changed "$man/wtrackd.conf.5" 's/default 1048576/default 1/')"
	good "files that are shown are read without a warning" \
		files_parse "$man/wtrackd.conf.5"
	bad "an unknown key in one is found" files_parse \
		"$(changed "$man/wtrackd.conf.5" 's/^SessionPages=/Pages=/')"
	bad "a watch that is none is found" files_parse \
		"$(changed "$man/wtrackd.conf.5" 's/^\[Match\]/[Watch]/')"
}

check_daemon()
{
	both_ways "all options" daemon_options_have_text wtrackd.8 \
		'^\.It Fl d , -debug' '.It Fl d , -nothing'
	both_ways "all metrics" metrics_have_text wtrack-metrics.8 \
		'^\.It Li wtrack_vm_pages' '.It Li wtrack_nothing'
	both_ways "all options" daemon_options_have_text wtrack-watch.8 \
		'^\.It Fl d , -debug' '.It Fl d , -nothing'
	both_ways "all message ids" message_ids_have_text wtrackd.8 \
		'^\.It Li 6f491d8a0cf0483abb51790d05c40522' \
		'.It Li 00000000000000000000000000000000'
	both_ways "all message ids" message_ids_have_text wtrack-watch.8 \
		'^\.It Li 30048d38a22c45d0917dded25544b366' \
		'.It Li 00000000000000000000000000000000'
	both_ways "all fields of the journal" fields_of_journal_have_text \
		wtrackd.8 '^\.It Li WTRACK_RULE' '.It Li WTRACK_NOTHING'
	both_ways "all fields of the journal" fields_of_journal_have_text \
		wtrack-watch.8 '^\.It Li WTRACK_GPA' '.It Li WTRACK_NOTHING'
	both_ways "all polkit actions" polkit_actions_have_text wtrackd.8 \
		'^\.It Li org.wtrack1.inspect' '.It Li org.wtrack1.nothing'
	both_ways "all members" bus_has_text org.wtrack1.5 \
		'^\.It Li u Cm NVMs' '.It Li u Cm Nothing'
	bad "org.wtrack1.5: a wrong type is found" bus_has_text \
		"$(changed "$man/org.wtrack1.5" 's/Li h Ar session /Li s Ar session /')"
	both_ways "all errors" bus_errors_have_text org.wtrack1.5 \
		'^\.It Li org.wtrack1.Error.Busy' \
		'.It Li org.wtrack1.Error.Nothing'
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
		"$(changed "$page" 's/wtrack_mirror_wait\(/wtrack_wait(/')"
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
	good "wtrackctl reads the command lines that are shown" \
		commands_are_read "${pages[@]}"
	bad "an option that it does not have is found" commands_are_read \
		"$(changed "$man/wtrackctl.1" 's/--budget 1000/--limit 1000/')"
}

make -s -C "$TOP/libwtrack" BUILD="$BUILD" >&2
make -s -C "$TOP/daemon" BUILD="$BUILD" >&2
make -s -C "$TOP/watch" BUILD="$BUILD" >&2
make -s -C "$TOP/ctl" BUILD="$BUILD" >&2
make -s -C "$TOP/man" BUILD="$BUILD" >&2
rm -rf "$WORK"
mkdir -p "$WORK/bad" "$WORK/lonely"
cp "$man/wtrackd.8" "$WORK/lonely"
mapfile -t pages < <(find "$man" -type f -name '*.[1-8]' | sort)

check_library
check_device
check_tool
check_configuration
check_daemon
check_form
check_examples

check_finish man
