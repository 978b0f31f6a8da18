# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A client that never reads costs nobody else anything, and clients learn that
# their VM is gone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

RING=1024
start_bare_vm alice fred
pid=$(vm_pid fred)
gfn=$(vm_gfn fred)

counter()
{
	prop "$session" Session "$1"
}

hold_as alice lazy -g "$gfn" "$pid"
session=$ROOT/session/$(held_id lazy)
as_user carol wtrackctl monitor --json=short --gfn "$gfn" "$pid" \
	>"$SCRATCH/seen" &
monitor=$!
check "another one reads" wait_for nr_sessions_is 2
check "that has started" wait_for grep -q '"type":"started"' "$SCRATCH/seen"
check "the guest stores three rings full" same $((3 * RING)) \
	"$(vm_burst fred $((3 * RING)))"
# One place is kept for the record that the VM is gone.
check "the ring nobody reads is full" test "$(counter Unread)" -ge $((RING - 1))
check "that is told" test "$(counter Overflows)" -gt 0
check "what is missing is kept" test "$(counter ResyncWrites)" -gt 0

writes()
{
	grep -c '"type":"write"' "$SCRATCH/seen"
}
saw_all()
{
	same $((3 * RING)) "$(writes)"
}
check "the other one has seen each store" wait_for saw_all
check "and missed none" not grep -q '"type":"resync"' "$SCRATCH/seen"
memory=$(counter MemoryBytes)
vm_burst fred $RING >/dev/null
check "the full one does not grow" same "$memory" "$(counter MemoryBytes)"

path=$(find_vm "$pid")
kill -KILL "$pid"
wait $monitor
status=$?
check "the reader ends well" same 0 $status
check "it says that the VM is gone" grep -q '"type":"vm_gone"' "$SCRATCH/seen"
check "the VM is not listed" wait_for not listed "$path"
check "it is gone" wait_for prop_is true "$path" VM Gone
check "who holds a session still has it" nr_sessions_is 1
let_go lazy
check "nothing is left" wait_for nr_sessions_is 0
check "not even the VM's object" wait_for not prop "$path" VM Gone
systemctl reset-failed vm-fred 2>/dev/null

# A client that dies takes its sessions with it.
start_bare_vm alice hugo
hold_as alice dead -n 20 hugo
check "twenty sessions" nr_sessions_is 20
kill -KILL "$(prop "$ROOT/session/$(held_id dead)" Session ClientPid)"
check "of a client that is killed none is left" wait_for nr_sessions_is 0
finish
