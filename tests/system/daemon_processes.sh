# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Processes with several VMs: which one is meant, and when it is gone while its
# process goes on. VMs that were there before the daemon.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"
. "$(dirname "$0")/lib-watch.sh"

no_problem()
{
	same 0 "$(manager_prop Problems)"
}

# Its page has no memory: the watch tries, and says so.
has_failed_or_armed()
{
	[ "$(entries hers | wc -l)" -gt 0 ]
}

# As many as a process may well have.
start_vms alice 70
check "a process has 70 VMs" wait_for nr_vms_is 70 "$vms_pid"
check "there is no problem" same 0 "$(manager_prop Problems)"
end_vms
start_vms alice 1026
check "of 1026 VMs 1024 are listed" wait_for nr_vms_is 1024 "$vms_pid"
two_are_left_out()
{
	manager_prop Problems |
		grep "pid $vms_pid (uid $(id -u alice)) has 2 VMs that are not listed"
}
check "the daemon says so" wait_for two_are_left_out
check "in the journal, too" logged "$began" "has 2 VMs that are not listed"
end_vms
check "it says so no more" wait_for no_problem

# Started by root, who is somebody else later.
start_vms root 1
pid=$vms_pid
vm=$(find_vm "$pid")
check "a VM is root's" prop_is 0 "$vm" VM Uid
watch_file hers '[Match]' User=alice '[Watch]' Gfn=0x10
reload_watches
check "it is in no watch of alice's VMs" wait_for watch_prop_is 0 hers Vms
tell_vms "user $(id -u alice)"
check "it becomes alice's" wait_for prop_is "$(id -u alice)" "$vm" VM Uid
check "in the list as well" jq -e --argjson pid "$pid" --argjson uid \
	"$(id -u alice)" '.data[0] | any(.[1] == $pid and .[3] == $uid)' \
	<(manager ListVMs)
check "and in the watch, without anybody's asking" wait_for has_failed_or_armed
end_vms
forget_watches

start_vms alice 2
pid=$vms_pid
first=${vm_fds[0]}
second=${vm_fds[1]}

has_vms()
{
	nr_vms_is "$1" "$pid"
}

check "uevents tell of both" wait_for has_vms 2
check_fails "the process alone is ambiguous" "names several VMs.*$pid:$first" \
	manager FindVM s "$pid"
check "its descriptor chooses" same "$ROOT/vm/${pid}_$second" \
	"$(find_vm "$pid:$second")"
hold_as alice second "$pid:$second"
check "a session is opened on it" same 1 "$(held second)"
session=$ROOT/session/$(held_id second)
check "it is on that one" same "\"$ROOT/vm/${pid}_$second\"" \
	"$(prop "$session" Session Vm)"
check_fails "another descriptor is no VM" "has no VM" manager FindVM s "$pid:0"

tell_vms "dup $first"
read -r copy <&"${VMS_PROCESS[0]}"
check_fails "the copy of a descriptor is no VM of its own" "has no VM" \
	manager FindVM s "$pid:$copy"
check "nor is it counted" has_vms 2
tell_vms "$copy"
tell_vms "$first"
check "a VM that was closed is gone" wait_for has_vms 1
check_fails "it is not found" "has no VM" manager FindVM s "$pid:$first"
check "the process has one left" same "$ROOT/vm/${pid}_$second" \
	"$(find_vm "$pid")"
tell_vms new
read -r third <&"${VMS_PROCESS[0]}"
check "a new one comes" wait_for has_vms 2
check "in the place of the first" same "$first" "$third"

check "the daemon is restarted" systemctl restart wtrackd
check "VMs that were there are found" has_vms 2
check "the session is known again" same '"client"' \
	"$(prop "$session" Session Kind)"
check "as alice's" same "$(id -u alice)" "$(prop "$session" Session ClientUid)"
check "on its VM" same "\"$ROOT/vm/${pid}_$second\"" \
	"$(prop "$session" Session Vm)"

end_vms
check "the process ends, and so do its VMs" wait_for has_vms 0
check "the VM of the session stays, and says it is gone" same true \
	"$(prop "$ROOT/vm/${pid}_$second" VM Gone)"

# restart_vms USER PID: VMs in a process with this number
restart_vms()
{
	local n
	for n in {1..20}; do
		echo $(($2 - 1)) >/proc/sys/kernel/ns_last_pid
		start_vms "$1" 1
		[ "$vms_pid" != "$2" ] || return 0
		end_vms
	done
	echo "no process got the number $2"
	return 1
}
restart_vms bob "$pid" >"$SCRATCH/restart" || bail "$(cat "$SCRATCH/restart")"
check "a process with the number of one that has ended" wait_for has_vms 1
path=$ROOT/vm/${pid}_${vm_fds[0]}
check "is another" same "$(id -u bob)" "$(prop "$path" VM Uid)"
check "whose VM its user can open" hold_as bob reused "$pid"
check "and has" same 1 "$(held reused)"
let_go reused
end_vms

let_go second
check "until the session is closed" wait_for not \
	prop "$ROOT/vm/${pid}_$second" VM Gone

# Where the daemon has room for NUMBER descriptors more.
room_for()
{
	local daemon limit=0 left=$1
	daemon=$(systemctl show -P MainPID wtrackd)
	while [ "$left" -ge 0 ]; do
		[ -e "/proc/$daemon/fd/$limit" ] || left=$((left - 1))
		limit=$((limit + 1))
	done
	prlimit --pid "$daemon" --nofile=$((limit - 1)):65536
}

start_vms alice 2
pid=$vms_pid
check "two VMs again" wait_for has_vms 2
for room in 0 1 2 3; do
	room_for $room
	tell_vms new
	read -r new <&"${VMS_PROCESS[0]}"
	tell_vms "$new"
	sleep 2
	check "none is lost when there are $room descriptors left" has_vms 2
done
systemctl restart wtrackd
end_vms
finish
