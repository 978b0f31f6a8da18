# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Counters of a session show what its guest does. They are as of now for those whom
# it concerns; for others they change with the clock, not with the guest.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"
. "$(dirname "$0")/lib-watch.sh"

start_bare_vm alice fred
pid=$(vm_pid fred)
gfn=$(vm_gfn fred)
hold_as carol one -g "$gfn" "$pid"
session=$ROOT/session/$(held_id one)

# counter USER NAME [PATH INTERFACE]
counter()
{
	as_user "$1" busctl get-property $BUS "${3:-$session}" \
		"$BUS.${4:-Session}" "$2" | cut -d' ' -f2
}

# metric USER NAME: of the session
metric()
{
	as_user "$1" wtrackctl metrics |
		sed -n "s/^$2{session=\"$(held_id one)\".*} //p"
}

# The clock of the host goes on with instructions alone: a period may begin
# meanwhile, but not twice.
sees_nothing()
{
	local before after round
	for round in 1 2 3; do
		before=$("$@")
		vm_burst fred 10 >/dev/null
		after=$("$@")
		[[ $after =~ ^[0-9]+$ ]] || break
		[ "$before" != "$after" ] || return 0
	done
	echo "round $round: $before, then $after"
	return 1
}

sees_each()
{
	local before
	before=$("$@")
	vm_burst fred 10 >/dev/null
	same $((before + 10)) "$("$@")"
}

for user in root alice carol; do
	check "$user sees the events at once" sees_each counter $user Events
done
check "bob does not" sees_nothing counter bob Events
check "nor what is unread" sees_nothing counter bob Unread
check "nor in the metrics" sees_nothing metric bob wtrack_session_events_total
check "root does there" sees_each metric root wtrack_session_events_total
check "so does alice" sees_each metric alice wtrack_session_events_total

# Its own user sees a session that another one's VM has.
check "it is not the VM's user alone" sees_each counter carol Events

watch_file fine '[Match]' Name=fred '[Watch]' "Gfn=$gfn" RateLimitBurst=0
reload_watches
check "a watch begins" wait_for watch_prop_is true fine Active
watch_events()
{
	as_user "$1" busctl get-property $WATCH_BUS $WATCH_ROOT/fine \
		org.wtrack1.Watch Events | cut -d' ' -f2
}

settled()
{
	local seen
	seen=$(watch_events root)
	sleep 0.3
	same "$seen" "$(watch_events root)"
}
vm_burst fred 10 >/dev/null
wait_for settled
sees_more()
{
	local before
	before=$(watch_events root)
	vm_burst fred 10 >/dev/null
	wait_for same $((before + 10)) "$(watch_events root)" ||
		test "$(watch_events root)" -gt "$before"
}
check "root sees its events" sees_more
check "alice does not" sees_nothing watch_events alice
let_go one
finish
