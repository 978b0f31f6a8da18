#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# wtrackctl break: the VM is stopped exactly behind a store, and is never left
# stopped, however the command ends.
. "$(dirname "$0")/lib.sh"

breaker=
end()
{
	local status=$?
	[ -z "$breaker" ] || kill "$breaker" 2>/dev/null
	tmux -L case kill-server 2>/dev/null
	(exit $status)
	leave
}
trap end EXIT

mkfifo "$SCRATCH/keys"
exec 9<>"$SCRATCH/keys"

press()
{
	printf x >&9
}

# break_vm COMMAND OPTION...: in the background, on the first page, until it has
# started; COMMAND is wtrackctl, or who runs it
break_vm()
{
	: >"$SCRATCH/seen"
	env --default-signal=INT "$@" --json=short <"$SCRATCH/keys" \
		>"$SCRATCH/seen" 2>"$SCRATCH/errors" &
	breaker=$!
	wait_for grep -q '"type":"started"' "$SCRATCH/seen" ||
		cat "$SCRATCH/errors"
}

# burst COUNT: in the background, since the guest stops in the middle
burst()
{
	SOON=300 vm_say fred "burst $1" "^burst $1 after [0-9]+" >"$SCRATCH/burst" &
	burst=$!
}

# seen TYPE NUMBER: there are so many lines of the type
seen()
{
	[ "$(grep -c "\"type\":\"$1\"" "$SCRATCH/seen")" -ge "$2" ]
}

is_stopped()
{
	[ "$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat")" = T ]
}

is_running()
{
	! is_stopped
}

# little_endian BYTES: the first four of them
little_endian()
{
	echo $((0x${1:6:2}${1:4:2}${1:2:2}${1:0:2}))
}

# The guest stores a number that grows, to both pages in turn: the greatest is the
# last store.
last_store()
{
	wtrackctl dump "$pid" --gfn "$page0" --gfn "$page1" --json=short |
		jq -r '.memory[].data' | fold -w 16 |
		sed -E 's/(..)(..)(..)(..)0{8}/0x\4\3\2\1/' |
		while read -r word; do echo $((word)); done | sort -n | tail -n 1
}

# of_last FILTER: of the last line of type write
of_last()
{
	jq -r "select(.type == \"write\") | $1" "$SCRATCH/seen" | tail -n 1
}

place()
{
	jq -r 'select(.type == "stopped") | .place' "$SCRATCH/seen" | tail -n 1
}

# A stop is late when the time of the vCPU was over, which the command says. Behind
# one that is exact, the guest has not made its next store.
memory_is_that_behind_the_store()
{
	local stops=0 exact=0
	while [ $exact -lt 5 ] && [ $stops -lt 30 ]; do
		stops=$((stops + 1))
		wait_for seen stopped $stops || return
		if [ "$(place)" = exact ]; then
			exact=$((exact + 1))
			same "$(little_endian "$(of_last .data)")" "$(last_store)" &&
				"$@" || return
		fi
		press
		wait_for seen continued $stops || return
	done
	same 5 $exact
}

# A guest that is only slow to be seen would be caught here.
guest_goes_on()
{
	wait_for is_running && wait "$burst" &&
		grep -q "^burst" "$SCRATCH/burst"
}

stops()
{
	burst 10
	wait_for seen stopped 1 && is_stopped
}

# The answer comes when the VM runs, not from the one who has connected before.
qmp_says_running()
{
	vm_qmp fred query-status | grep -q '"status":"running"'
}

start_bare_vm alice fred 2 0
pid=$(vm_pid fred)
page0=$(vm_gfn fred 0)
page1=$(vm_gfn fred 1)
vm_burst fred 1100 >/dev/null

break_vm wtrackctl break fred --gfn "$page0"
burst 80
check "the guest is exactly behind the store" \
	memory_is_that_behind_the_store is_stopped
check "the instruction is known" same "0x" "$(of_last '.rip[0:2]')"
check "and the vCPU" same 0 "$(of_last .vcpu)"
check "the old bytes are those of 1024 stores before" same \
	$(($(little_endian "$(of_last .data)") - 1024)) \
	"$(little_endian "$(of_last .old)")"
kill -INT $breaker
check "SIGINT ends it well" wait $breaker
check "the guest goes on" guest_goes_on
check "nothing goes to stderr" same "" "$(cat "$SCRATCH/errors")"

before=$(vm_burst fred 1)
break_vm wtrackctl break "$pid" --gfn "$page0" --count=1 \
	--value=$((before + before % 2 + 3))
burst 10
wait_for seen stopped 1
check "--value stops it at that store alone" same \
	"1 $((before + before % 2 + 3))" "$(grep -c '"type":"write"' "$SCRATCH/seen") $(
		little_endian "$(of_last .data)")"
press
check "--count ends it" wait $breaker
check "the guest goes on behind --count" guest_goes_on

break_vm wtrackctl break "$pid" --gfn "$page0" --hold=10ms --count=3
burst 10
check "--hold goes on by itself" wait $breaker
check "after three stops" same 3 "$(grep -c '"type":"continued"' "$SCRATCH/seen")"
check "the guest goes on behind --hold" guest_goes_on

for signal in TERM HUP; do
	break_vm wtrackctl break "$pid" --gfn "$page0"
	check "it is stopped when SIG$signal comes" stops
	kill -$signal $breaker
	check "SIG$signal ends it well" wait $breaker
	check "the guest goes on behind SIG$signal" guest_goes_on
done

break_vm wtrackctl break "$pid" --gfn "$page0"
check "it is stopped when the command is killed" stops
kill -KILL $breaker
wait $breaker
check "the guest goes on when the command is killed" guest_goes_on

tmux -L case new-session -d "wtrackctl break $pid --gfn $page0 --json=short \
	>$SCRATCH/seen"
: >"$SCRATCH/seen"
wait_for seen started 1
check "it is stopped in a terminal" stops
tmux -L case send-keys x
check "a key goes on" wait_for seen continued 1
wait_for seen stopped 2
check "until the next store" is_stopped
tmux -L case kill-server
check "the guest goes on when the terminal is closed" guest_goes_on

break_vm wtrackctl break fred --gfn "$page0" --qmp "$VMS/fred/qmp"
burst 80
check "QMP stops the guest exactly, too" \
	memory_is_that_behind_the_store is_running
kill -INT $breaker
check "SIGINT ends it well with QMP" wait $breaker
check "the guest goes on with QMP" guest_goes_on
check "and is not paused" wait_for qmp_says_running
break_vm wtrackctl break fred --gfn "$page0" --qmp "$VMS/fred/qmp"
burst 10
wait_for seen stopped 1
kill -KILL $breaker
wait $breaker
check "nor when the command is killed" wait_for qmp_says_running
check "and the guest goes on then" guest_goes_on

check_fails "the daemon lets no owner have vCPUs wait, and says so" \
	"^wtrackctl: .*/dev/kvm-wtrack" \
	as_user alice wtrackctl break fred --gfn "$page0"
break_vm setpriv --reuid=alice --regid=alice --groups=kvm-wtrack \
	--inh-caps=-all wtrackctl break fred --gfn "$page0"
check "an owner who may open the device stops the VM" stops
press
wait_for seen continued 1
kill -INT $breaker
check "and has it go on" wait $breaker
check "the guest goes on for the owner" guest_goes_on
check "no process is left" wait_for bash -c "! pgrep -x wtrackctl-cont"
finish
