# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The service manager keeps the sessions of watches, but not any number of them.
# What it does not keep is not tracked, and that is told.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"
. "$(dirname "$0")/lib-watch.sh"

DROP_IN=/run/systemd/system/wtrack-watch.service.d/store.conf
trap 'rm -f $DROP_IN; systemctl daemon-reload; systemctl restart wtrack-watch; \
	leave_watches' EXIT

no_problem()
{
	same 0 "$(watch_problems)"
}

mkdir -p "${DROP_IN%/*}"
printf '[Service]\nFileDescriptorStoreMax=2\n' >$DROP_IN
systemctl daemon-reload
systemctl restart wtrack-watch
for name in ada bob cid; do
	start_bare_vm alice $name
done
watch_file all '[Match]' User=alice '[Watch]' "Gfn=$(vm_gfn ada)"
reload_watches
check "two of three VMs are watched" wait_for has_entries all "$ARMED" 2
check "the third is not, and that is told" wait_for has_entries all "$FAILED" 1
check "with the reason" grep -q 'FileDescriptorStoreMax=' \
	<(entries all "$FAILED" | field MESSAGE)
check "the module has two sessions" nr_sessions_is 2
check "the problem is there to be seen" grep -q 'FileDescriptorStoreMax=' \
	<(watch_problems)
check "the service manager has them" same 2 \
	"$(systemctl show -P NFileDescriptorStore wtrack-watch)"
stop_vm "$(entries all "$ARMED" | field WTRACK_VM_NAME | head -n 1)"
check "when one ends, the third has its place" \
	wait_for has_entries all "$ARMED" 3
check "and there is no problem" wait_for no_problem
finish
