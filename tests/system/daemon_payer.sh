# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Who opens a session on a huge guest by way of the daemon does not have the daemon
# pay for what KVM needs for it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

# 2 bytes for each page
GIB=64
COUNTS=$((GIB * 262144 * 2))
IN=$SCRATCH/in

memory_of()
{
	systemctl show -P MemoryCurrent "$1"
}

mkfifo "$IN"
vms+=(huge)
systemd-run --quiet --collect --unit=vm-huge --uid=alice \
	--property=StandardInput="file:$IN" \
	--property=StandardOutput="file:$SCRATCH/out" "$PLACE/bin/barevm" 1 &
exec {writer}>"$IN"
wait
check "a VM" wait_for test -s "$SCRATCH/out"
echo "slot $(head -n 1 "$SCRATCH/out") $GIB" >&"$writer"
check "has a memslot of $GIB GiB" wait_for grep -q '^slot' "$SCRATCH/out"

daemon=$(memory_of wtrackd)
vmm=$(memory_of vm-huge)
hold_as alice one "$(vm_pid huge)"
check "alice has a session on it" same 1 "$(held one)"
grown=$(($(memory_of wtrackd) - daemon))
paid=$(($(memory_of vm-huge) - vmm))
echo "# the daemon has $grown bytes more, the VMM $paid"
check "the daemon does not pay" test "$grown" -lt $((COUNTS / 8))
check "the VMM does" test "$paid" -gt $((COUNTS * 7 / 8))
let_go one
exec {writer}>&-
finish
