# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A watch of the administrator: it begins, logs each write, and ends.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-watch.sh"

# Each entry of a write has all there is to know.
complete()
{
	entries doorbells "$WRITE" | jq -e --arg pid "$1" --arg gfn "$2" \
		'select((.WTRACK_VM_PID == $pid and .WTRACK_VM_NAME == "fred"
		and .WTRACK_GFN == $gfn and .WTRACK_LENGTH == "8"
		and .WTRACK_TOTAL == "8" and .WTRACK_VCPU == "0"
		and (.WTRACK_RIP | startswith("0x"))
		and (.WTRACK_GPA | startswith($gfn))
		and (.WTRACK_TIME_NS | tonumber) > 0
		and .SYSLOG_IDENTIFIER == "wtrack-watch" and .PRIORITY == "6"
		and ._UID != "0") | not)' >"$SCRATCH/incomplete"
	cat "$SCRATCH/incomplete"
	[ ! -s "$SCRATCH/incomplete" ]
}

logged()
{
	entries doorbells "$WRITE" | field WTRACK_DATA | little_endian
}

start_bare_vm alice fred
pid=$(vm_pid fred)
gfn=$(vm_gfn fred)
watch_file doorbells '[Match]' 'Name=fr[aeiou]d' "User=alice" \
	'[Watch]' "Gfn=$gfn"
check "it is read" reload_watches
check "it begins on a VM that runs" \
	wait_for has_entries doorbells "$ARMED" 1
check "nothing was written yet" has_entries doorbells "$WRITE" 0
check "the bus knows that it is active" \
	wait_for watch_prop_is true doorbells Active
session=$(entries doorbells "$ARMED" | field WTRACK_SESSION)
check "the bus tells its session" same "1 $session" \
	"$(watch_prop doorbells Sessions)"
check "which is a watch's for wtrackd" same "s \"watch\"" "$(busctl get-property \
	org.wtrack1 "/org/wtrack1/session/$session" org.wtrack1.Session Kind)"
check "of the watches' user" same "u $(id -u wtrack-watch)" \
	"$(busctl get-property org.wtrack1 "/org/wtrack1/session/$session" \
		org.wtrack1.Session ClientUid)"
vm_burst fred 50 >"$SCRATCH/burst"
check "each write has an entry" wait_for has_entries doorbells "$WRITE" 50
check "with all of its fields" complete "$pid" "$gfn"
check "each with what was stored, in order" \
	same "$(seq 50)" "$(logged)"
check "numbered in order" \
	same "$(seq 50)" "$(entries doorbells "$WRITE" | field WTRACK_SEQ)"
check "counted" same 50 "$(watch_prop doorbells Events)"
check "the catalog explains it" \
	grep -q "fields tell what a virtual CPU has stored" \
	<(journalctl -q -b -x "MESSAGE_ID=$WRITE" -n 1)

stop_vm fred
check "the end of the VM has an entry" \
	wait_for has_entries doorbells "$ENDED" 1
check "the bus knows that" \
	wait_for watch_prop_is false doorbells Active

start_bare_vm alice frod
start_bare_vm bob fred
check "it begins on a VM that appears" \
	wait_for has_entries doorbells "$ARMED" 2
check "not on that of another user" \
	same "$(printf '%s\n' "$pid" "$(vm_pid frod)")" \
	"$(entries doorbells "$ARMED" | field WTRACK_VM_PID)"

forget_watches
check "it ends with its file" wait_for has_entries doorbells "$STOPPED" 1
check_fails "and its object is gone" "Unknown object|No such object" \
	busctl get-property $WATCH_BUS $WATCH_ROOT/doorbells org.wtrack1.Watch Active
finish
