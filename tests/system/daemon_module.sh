# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The module is removed and loaded again under the daemon.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

trap 'rm -f /run/modprobe.d/no-wtrack.conf; modprobe kvm-wtrack; leave' EXIT
start_vms alice 1
pid=$vms_pid

loaded_is()
{
	same "$1" "$(manager_prop ModuleLoaded)"
}

check "the module is there" loaded_is true
check "its features are known" test "$(manager_prop Features)" -gt 0
hold_as alice one "$pid"
check_fails "a session keeps it" "in use" rmmod kvm_wtrack
let_go one
wait_for nr_sessions_is 0
check "the daemon does not" rmmod kvm_wtrack
check "it notices" wait_for loaded_is false
check_fails "sessions are refused" "not loaded" \
	manager OpenSession 'sa{sv}' "$pid" 0
check "VMs are listed nevertheless" listed "$(find_vm "$pid")"
# Its unit has the module loaded, if that is possible.
mkdir -p /run/modprobe.d
echo install kvm_wtrack /bin/false >/run/modprobe.d/no-wtrack.conf
check "without it, it can be started" systemctl restart wtrackd
check "and has not loaded it" loaded_is false
rm /run/modprobe.d/no-wtrack.conf
check "the module is loaded" modprobe kvm-wtrack
check "it notices" wait_for loaded_is true
opens()
{
	hold_as alice "$1" "$pid" && same 1 "$(held "$1")"
}
n=0
try()
{
	n=$((n + 1))
	opens "try$n"
}
check "sessions are opened again" wait_for try
check "they are accounted for" nr_sessions_is 1
let_go "try$n"
check "and closed" wait_for nr_sessions_is 0
finish
