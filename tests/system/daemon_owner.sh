# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A user opens sessions on his own VM, by each of its names; what the bus shows
# of them; nothing of them is left afterwards.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

start_bare_vm alice fred 1 100
pid=$(vm_pid fred)
check "KVM's uevent makes the VM known" wait_for nr_vms_is 1
path=$(find_vm "$pid")
check "its object is named by process and descriptor" \
	grep -qE "^$ROOT/vm/${pid}_[0-9]+$" <<<"$path"
check "it is listed" listed "$path"
check "it is alice's" same "$(id -u alice)" "$(prop "$path" VM Uid)"
check "it has QEMU's name" same '"fred"' "$(prop "$path" VM QemuName)"
check "it has its cgroup" grep -q vm-fred.service \
	<<<"$(prop "$path" VM Cgroup)"
check "it is found by QEMU's name" same "$path" "$(find_vm fred)"
check "it is found by process and descriptor" same "$path" \
	"$(find_vm "$(tr _ : <<<"${path##*/}")")"
check "machined names it" machine_register fred castor
check "the name comes by itself" \
	wait_for prop_is '"castor"' "$path" VM Machine
check "it is found by the machine's name" same "$path" "$(find_vm castor)"

start_bare_vm bob hugo 1 0 -name fred
other=$(find_vm "$(vm_pid hugo)")
check "bob may call his VM the same" same '"fred"' "$(prop "$other" VM QemuName)"
find_as()
{
	as_user "$1" busctl --json=short call $BUS $ROOT $BUS.Manager \
		FindVM s "$2" | jq -r '.data[0]'
}
check "alice's is hers" same "$path" "$(find_as alice fred)"
check "bob's is his" same "$other" "$(find_as bob fred)"
check_fails "others have to choose" "names several VMs" find_as carol fred
group=/sys/fs/cgroup$(prop "$other" VM Cgroup | tr -d '"')
mkdir "$group/machine-pollux.scope"
vm_pid hugo >"$group/machine-pollux.scope/cgroup.procs"
check "the daemon looks again" systemctl restart wtrackd
check "a group inside of a unit" grep -q machine-pollux.scope \
	<<<"$(prop "$other" VM Cgroup)"
check "makes no machine" same '""' "$(prop "$other" VM Machine)"
stop_vm hugo
check "machined's name is there again" \
	wait_for prop_is '"castor"' "$path" VM Machine

hold_as alice one -g "$(vm_gfn fred)" "$pid"
check "alice has a session" same 1 "$(held one)"
id=$(held_id one)
session=$ROOT/session/$id
check "its kind is client" same '"client"' "$(prop "$session" Session Kind)"
check "it is alice's session" same "$(id -u alice)" \
	"$(prop "$session" Session ClientUid)"
check "it is of her process" same hold \
	"$(cat "/proc/$(prop "$session" Session ClientPid)/comm")"
check "it is on the VM" same "\"$path\"" "$(prop "$session" Session Vm)"
check "the VM has it" grep -q "\"$session\"" \
	<<<"$(prop "$path" VM Sessions)"
check "it tracks a page" same 1 "$(prop "$session" Session Pages)"
some_events()
{
	[ "$(prop "$session" Session Events)" -gt 0 ]
}
check "it gets events" wait_for some_events
check "its ranges are alice's to see" as_user alice \
	busctl call $BUS "$session" $BUS.Session ListRanges
check "they are what she tracks" same \
	"{\"type\":\"a(tt)\",\"data\":[[[$(($(vm_gfn fred))),1]]]}" \
	"$(busctl --json=short call $BUS "$session" $BUS.Session ListRanges)"
check "it is on disk" test -f "$STATE/$id"
hold_as alice waits -g "$(vm_gfn fred)" -s fred
check "she may not have its vCPUs wait" grep -q "^error EPERM" "$SCRATCH/waits/out"
let_go waits
hold_as root waits_too -g "$(vm_gfn fred)" -s fred
check "root may" same 1 "$(held waits_too)"
let_go waits_too
check "one session is left" wait_for nr_sessions_is 1
hold_as alice two -p 7 fred
hold_as alice three castor
check "others are opened by names" nr_sessions_is 3
check "one is restricted as it was asked for" same 7 \
	"$(prop "$ROOT/session/$(held_id two)" Session MaxPages)"

busctl monitor --json=short $BUS >"$SCRATCH/signals" 2>/dev/null &
monitor=$!
sleep 1
let_go one
let_go two
let_go three
check "closed sessions are gone" wait_for nr_sessions_is 0
check "and so are their files" same "" "$(ls "$STATE")"
check "SessionRemoved is told" wait_for grep -q \
	"SessionRemoved.*\"$session\"" "$SCRATCH/signals"
stop_vm fred
check "VMRemoved is told" wait_for grep -q "VMRemoved.*\"$path\"" \
	"$SCRATCH/signals"
check "the VM is not listed any more" not listed "$path"
kill $monitor
check_fails "it is not found" "no VM has" manager FindVM s "$pid"
finish
