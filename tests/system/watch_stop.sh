# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# An administrator ends sessions of watches: that is seen, told, and not undone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"
. "$(dirname "$0")/lib-watch.sh"

ENDED_BY='1 session was ended by an administrator'

# nr_watched COUNT: sessions that the watch says it has
nr_watched()
{
	same "$1" "$(watch_prop all Sessions | cut -d' ' -f1)"
}

# Of the program's processor time, in hundredths of a second.
ticks()
{
	awk '{ print $14 + $15 }' \
		"/proc/$(systemctl show -P MainPID wtrack-watch)/stat"
}

is_idle()
{
	local before
	before=$(ticks)
	sleep 10
	[ $(($(ticks) - before)) -lt 100 ] || { echo "$before $(ticks)"; return 1; }
}

no_problem()
{
	same 0 "$(watch_problems)"
}

start_bare_vm alice ada
watch_file all '[Match]' User=alice '[Watch]' "Gfn=$(vm_gfn ada)"
reload_watches
check "a VM is watched" wait_for has_entries all "$ARMED" 1
session=$(entries all "$ARMED" | field WTRACK_SESSION)
vm_burst ada 10 >"$SCRATCH/burst"
check "its session is ended" wtrackctl stop "$session"
check "which is told" wait_for has_entries all "$FAILED" 1
check "and who can begin it anew" grep -q 'ended.*systemctl reload wtrack-watch' \
	<(entries all "$FAILED" | field MESSAGE)
check "what was stored before is logged" has_entries all "$WRITE" 10
check "no session is left" wait_for nr_sessions_is 0
check "nor does the watch say that it has one" wait_for nr_watched 0
check "doctor says why" grep -q "$ENDED_BY" <(wtrackctl doctor)
check "systemctl status as well" grep -q "$ENDED_BY" \
	<(systemctl show -P StatusText wtrack-watch)
check "nothing is done about it" is_idle

systemctl restart wtrackd
start_bare_vm alice bea
check "a VM that comes later is watched" wait_for has_entries all "$ARMED" 2
check "the other one is not, though wtrackd was away" nr_watched 1
check "a reload begins it anew" reload_watches
check "with another session" wait_for has_entries all "$ARMED" 3
check "and there is no problem" wait_for no_problem

check "all are ended" wtrackctl stop --all
check "all say so" wait_for has_entries all "$FAILED" 3
check "the module can be removed" wait_for modprobe -r kvm_wtrack
check "and comes back" modprobe kvm_wtrack
check "as the watches do" wait_for has_entries all "$ARMED" 5
finish
