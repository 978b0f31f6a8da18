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
		and .SYSLOG_IDENTIFIER == "wtrackd" and .PRIORITY == "6"
		and ._UID != "0") | not)' >"$SCRATCH/incomplete"
	cat "$SCRATCH/incomplete"
	[ ! -s "$SCRATCH/incomplete" ]
}

logged()
{
	entries doorbells "$WRITE" | field WTRACK_DATA | little_endian
}

watch_of()
{
	busctl get-property org.wtrack1 "/org/wtrack1/watch/$1" \
		org.wtrack1.Watch "$2"
}

start_bare_vm alice fred
pid=$(vm_pid fred)
gfn=$(vm_gfn fred)
watch_file doorbells '[Match]' 'Name=fr[aeiou]d' "User=alice" \
	'[Watch]' "Gfn=$gfn"
check "the daemon reads it" systemctl reload wtrackd
check "it begins on a VM that runs" \
	wait_for has_entries doorbells "$ARMED" 1
check "nothing was written yet" has_entries doorbells "$WRITE" 0
check "the bus knows that it is active" same "b true" "$(watch_of doorbells Active)"
vm_burst fred 50 >"$SCRATCH/burst"
check "each write has an entry" wait_for has_entries doorbells "$WRITE" 50
check "with all of its fields" complete "$pid" "$gfn"
check "each with what was stored, in order" \
	same "$(seq 50)" "$(logged)"
check "numbered in order" \
	same "$(seq 50)" "$(entries doorbells "$WRITE" | field WTRACK_SEQ)"
check "counted" same "t 50" "$(watch_of doorbells Events)"
check "the catalog explains it" \
	grep -q "fields tell what a virtual CPU has stored" \
	<(journalctl -q -b -x "MESSAGE_ID=$WRITE" -n 1)

stop_vm fred
check "the end of the VM has an entry" \
	wait_for has_entries doorbells "$ENDED" 1
check "the bus knows that" same "b false" "$(watch_of doorbells Active)"

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
	watch_of doorbells Active
finish
