# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# tests/lib/limited: what it ends, and what it leaves alone. Sourced by run.sh.

# limited STATUS SECONDS LOOKS COMMAND...: with that status
limited()
{
	local want=$1 status=0
	LIMITED_IDLE_LOOKS=$3 "$TOP/tests/lib/limited" "$2" "${@:4}" \
		>"$WORK/out" 2>&1 </dev/null || status=$?
	[ $status = "$want" ] || { echo "status $status" && cat "$WORK/out"; }
}

# hangs REASON SECONDS LOOKS COMMAND...: and says why
hangs()
{
	limited 124 "${@:2}"
	grep -qxE "limited: [a-z]+ hangs: $1" "$WORK/out" || cat "$WORK/out"
}

# alone MARK: no process has it as its name
alone()
{
	[ -z "$(pgrep -x "$1")" ] || { echo "it is still there" && pkill -x "$1"; }
}

# The name is the test's own, so that nobody else's process is meant.
sleeper()
{
	cp "$(command -v sleep)" "$WORK/kwt-$1"
	echo "$WORK/kwt-$1"
}

ends_children()
{
	local sleep
	sleep=$(sleeper child)
	hangs ".*" 60 2 sh -c "$sleep 1000 & wait"
	alone kwt-child
}

ends_orphans()
{
	local sleep
	sleep=$(sleeper orphan)
	hangs ".*" 60 2 sh -c "($sleep 1000 &); $sleep 1000"
	alone kwt-orphan
}

passes_a_signal_on()
{
	local sleep pid status=0
	sleep=$(sleeper told)
	"$TOP/tests/lib/limited" 60 sh -c "$sleep 1000 & wait" </dev/null &
	pid=$!
	until pgrep -x kwt-told >/dev/null; do
		sleep 0.1
	done
	kill $pid
	wait $pid || status=$?
	[ $status = 143 ] || echo "status $status"
	alone kwt-told
}

check_limited()
{
	local compute="while :; do :; done"
	check "a command's status is its own" limited 3 60 9 sh -c 'exit 3'
	check "so is the signal that ended it" limited 137 60 9 sh -c 'kill -9 $$'
	check "a command that is not there is 127" limited 127 60 9 /nonexistent
	check "what computes for ever is ended" hangs \
		'it has used [0-9]+ s of processor time' 1 9 sh -c "$compute"
	check "in a child of it, too" hangs 'it has used .*' 1 9 \
		sh -c "($compute); :"
	check "what sleeps for ever is ended" hangs \
		'nothing of it has run at 2 looks' 60 2 sleep 1000
	check "with what it has started" ends_children
	check "also if that has lost its parent" ends_orphans
	check "what ignores SIGTERM is ended" hangs '.*' 1 9 \
		sh -c "trap '' TERM; $compute"
	check "what wakes up now and then is not" limited 0 60 4 \
		sh -c 'for i in 1 2 3 4 5; do sleep 1.5; done'
	check "who ends it ends the command" passes_a_signal_on
}
