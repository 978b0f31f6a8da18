# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Who opens a session on a huge guest by way of the daemon does not have the daemon
# pay for what KVM needs for it, nor the process that attaches sessions of others.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

# 2 bytes for each page
GIB=64
COUNTS=$((GIB * 262144 * 2))

memory_of()
{
	systemctl show -P MemoryCurrent "$1"
}

# start_huge NAME: a VM of alice's, in a unit vm-NAME
start_huge()
{
	local dir=$SCRATCH/vm-$1
	mkdir "$dir"
	mkfifo "$dir/in"
	vms+=("$1")
	systemd-run --quiet --collect --unit="vm-$1" --uid=alice \
		--property=StandardInput="file:$dir/in" \
		--property=StandardOutput="file:$dir/out" \
		"$PLACE/bin/barevm" 1 &
	exec {writer}>"$dir/in"
	wait
	check "a VM" wait_for test -s "$dir/out"
	echo "slot $(head -n 1 "$dir/out") $GIB" >&"$writer"
	check "has a memslot of $GIB GiB" wait_for grep -q '^slot' "$dir/out"
}

# pays_for USER NAME: who pays for the first session on that VM
pays_for()
{
	local daemon vmm grown paid
	daemon=$(memory_of wtrackd)
	vmm=$(memory_of "vm-$2")
	hold_as "$1" "$2" "$(vm_pid "$2")"
	check "$1 has a session on it" same 1 "$(held "$2")"
	grown=$(($(memory_of wtrackd) - daemon))
	paid=$(($(memory_of "vm-$2") - vmm))
	echo "# the daemon has $grown bytes more, the VMM $paid"
	check "the daemon does not pay" test "$grown" -lt $((COUNTS / 8))
	check "the VMM does" test "$paid" -gt $((COUNTS * 7 / 8))
	let_go "$2"
}

start_huge own
pays_for alice own
exec {writer}>&-

check "a process that attaches may not have as much memory as that takes" \
	test "$(systemctl show -P MemoryMax wtrack-attach@any.service)" -lt "$COUNTS"
start_huge other
pays_for carol other
exec {writer}>&-
finish
