# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What ordinary users can do to keep the daemon from serving others. Each attack
# ends by itself, or with this case; the daemon must serve everybody afterwards.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"
. "$(dirname "$0")/lib-watch.sh"

# A daemon that is stuck for a while is not to be killed and leave a core.
systemctl service-watchdogs no
sysctl -q vm.unprivileged_userfaultfd=1
trap 'leave_attacks' EXIT

leave_attacks()
{
	local status=$? fd
	for fd in "$SCRATCH"/*/fd; do
		[ ! -e "$fd" ] || end_attack "$(basename "$(dirname "$fd")")"
	done
	sysctl -q vm.unprivileged_userfaultfd=0
	systemctl service-watchdogs yes
	(exit "$status")
	leave_watches
}

# attack NAME WORD PROGRAM ARGUMENT...: by bob, in the background, until it has
# said a line that begins with this word
attack()
{
	local dir=$SCRATCH/$1 word=$2 writer
	shift 2
	mkdir -p "$dir"
	mkfifo "$dir/in"
	as_user bob "$@" <"$dir/in" >"$dir/out" 2>&1 &
	echo $! >"$dir/pid"
	exec {writer}>"$dir/in"
	echo "$writer" >"$dir/fd"
	wait_for grep -q "^$word" "$dir/out" || sed 's/^/# /' "$dir/out"
}

end_attack()
{
	local dir=$SCRATCH/$1 fd
	fd=$(cat "$dir/fd")
	rm -f "$dir/fd"
	exec {fd}>&-
	wait "$(cat "$dir/pid")"
}

# tell NAME LINE: and it has done it
tell()
{
	echo "$2" >&"$(cat "$SCRATCH/$1/fd")"
	wait_for grep -q "^did $2" "$SCRATCH/$1/out"
}

# Any call of another user. The clock is that of the emulated host: it stands for
# so many instructions.
serves()
{
	as_user alice timeout 10 busctl --timeout=8 call $BUS $ROOT \
		$BUS.Manager ListVMs
}

# Whoever names a process has it looked at.
look_at()
{
	as_user bob busctl --timeout=1 call $BUS $ROOT $BUS.Manager FindVM s \
		"$1" >/dev/null 2>&1
}

daemon=$(systemctl show -P MainPID wtrackd)
check "alice is served" serves

# The kernel prints all items of an epoll set to whoever reads its fdinfo.
attack epoll ready epollset 200000 256
look_at "$(pgrep -u bob -n epollset)"
check "alice is served when a process has an epoll set of 200,000 items" serves
end_attack epoll
check "she is when it has ended" wait_for serves

# A descriptor that was copied, and closed, could be of a file system of the user's,
# which answers nobody; then the daemon could not even be killed.
modprobe fuse
install -d -o bob "$SCRATCH/mount" "$SCRATCH/mount2"
attack close ready swapfd "$SCRATCH/mount2" 50000
for _ in 1 2 3 4 5 6 7 8; do
	look_at "$(pgrep -u bob -o swapfd)"
done
check "alice is served when descriptors become another file's" serves
check "and by the next daemon" timeout 30 systemctl restart wtrackd
check "nobody waits for the file system" same ready "$(cat "$SCRATCH/close/out")"
daemon=$(systemctl show -P MainPID wtrackd)
end_attack close
check "she is when it has ended" wait_for serves

# The command line of a process that is within execve(2) is waited for.
attack exec vm stuckexec "$SCRATCH/mount" vm
read -r _ stuck _ <"$SCRATCH/exec/out"
check "a VM of bob's is found" wait_for nr_vms_is 1 "$stuck"
echo >&"$(cat "$SCRATCH/exec/fd")"
wait_for grep -q ^stuck "$SCRATCH/exec/out"
check "the next daemon begins when a process is in execve(2) for ever" \
	systemctl restart wtrackd
daemon=$(systemctl show -P MainPID wtrackd)
# Bob asks again and again: threads of his wait, and no call of others does.
for _ in 1 2 3 4 5 6; do
	look_at "$stuck"
done
check "alice is served" serves
check_fails "bob is told why he is not" \
	"pid $stuck has not let itself be looked at for 10 seconds" as_user bob \
	busctl call $BUS $ROOT $BUS.Manager FindVM s "$stuck"
start_bare_vm alice hers
check "a VM of alice's that comes meanwhile is found" wait_for nr_vms_is 1 \
	"$(vm_pid hers)"
check "the next daemon begins, too" systemctl restart wtrackd
check "with the VMs of others" nr_vms_is 1 "$(vm_pid hers)"
daemon=$(systemctl show -P MainPID wtrackd)
end_attack exec
check "alice is served when it has ended" wait_for serves

# A message may have 128 MiB, and is gone through entry by entry.
attack flood sent python3 "$PLACE/bin/flood.py" 8 30
check "alice is served when there are messages of 30 MiB" serves
check "all of them are refused" wait_for grep -q '^refused 8' \
	"$SCRATCH/flood/out"
end_attack flood

# A page cannot be added as long as a vCPU waits for it. The VM of a lazy restore may
# have wtrack-watch wait, and then only for itself.
start_bare_vm alice fred
watch_file other '[Match]' 'Name=fred' '[Watch]' "Gfn=$(vm_gfn fred)"
watch_file lazy '[Match]' 'User=bob' '[Watch]' 'Gfn=0x10'
reload_watches
attack slow ready slowvm
pid=$(pgrep -u bob -n slowvm)
check "a VM of a lazy restore is watched" wait_for nr_sessions_is 2
check "its page has no memory yet" wait_for has_entries lazy "$GAP" 1
tell slow slot
tell slow store
# Missing memory is tried again and again, after five seconds at most, by the clock
# of this host, which stands for so many instructions.
serves_for()
{
	local end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do
		serves || return 1
		sleep 0.5
	done
}
check "alice is served when a vCPU waits for a page that is watched" serves_for 10
vm_burst fred 10 >"$SCRATCH/burst"
check "and her VM's watch goes on" wait_for has_entries other "$WRITE" 10
check "nothing is stuck" same 0 "$(watch_problems)"
check "the page is not tracked" has_entries lazy "$REARMED" 0
tell slow page
check "it is when it is there" wait_for has_entries lazy "$REARMED" 1
end_attack slow
check "its VM is gone" wait_for nr_vms_is 0 "$pid"
forget_watches

check "it is the same daemon" same "$daemon" \
	"$(systemctl show -P MainPID wtrackd)"
finish
