# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # what cases use
# Sourced by cases about wtrackd itself: what its bus says, who holds sessions.

BUS=org.wtrack1
ROOT=/org/wtrack1
CONFIG=/etc/wtrackd/wtrackd.conf.d
STATE=/run/wtrackd/sessions

# prop PATH INTERFACE NAME: the value alone, as busctl writes it
prop()
{
	busctl get-property $BUS "$1" "$BUS.$2" "$3" | cut -d' ' -f2-
}

manager_prop()
{
	prop $ROOT Manager "$1"
}

# manager METHOD [SIGNATURE ARGUMENT...]: of the manager, as JSON
manager()
{
	busctl --json=short call $BUS $ROOT $BUS.Manager "$@"
}

# find_vm NAME: its object
find_vm()
{
	manager FindVM s "$1" | jq -r '.data[0]'
}

# listed PATH: is a VM in the list?
listed()
{
	manager ListVMs | jq -e --arg path "$1" \
		'.data[0] | any(.[0] == $path)' >/dev/null
}

not()
{
	! "$@"
}

# hold_as USER NAME ARGUMENT...: `hold` in the background, known by NAME
hold_as()
{
	local user=$1 dir=$SCRATCH/$2 reader
	shift 2
	mkdir -p "$dir"
	mkfifo "$dir/in"
	as_user "$user" hold "$@" <"$dir/in" >"$dir/out" 2>&1 &
	echo $! >"$dir/pid"
	exec {reader}>"$dir/in"
	echo "$reader" >"$dir/fd"
	wait_for grep -q '^ready' "$dir/out"
}

# let_go NAME: it closes its sessions and ends
let_go()
{
	local dir=$SCRATCH/$1 fd
	fd=$(cat "$dir/fd")
	echo >&"$fd"
	exec {fd}>&-
	wait "$(cat "$dir/pid")"
}

# held NAME: how many sessions it got
held()
{
	grep -c '^session' "$SCRATCH/$1/out"
}

# held_id NAME: the number of its first session
held_id()
{
	sed -n 's/^session \([0-9]*\).*/\1/p' "$SCRATCH/$1/out" | head -n 1
}

# start_vms USER NUMBER: VMs without memory in one process, at once. Their
# process is $vms_pid, their descriptors are vm_fds; end_vms ends them.
start_vms()
{
	local fd n
	coproc VMS_PROCESS { exec setpriv --reuid="$1" --regid="$1" \
		--init-groups "$PLACE/bin/barevm" "$2"; }
	vms_pid=$VMS_PROCESS_PID
	vm_fds=()
	for ((n = 0; n < $2; n++)); do
		read -r fd <&"${VMS_PROCESS[0]}"
		vm_fds+=("$fd")
	done
}

# tell_vms LINE: to barevm
tell_vms()
{
	echo "$1" >&"${VMS_PROCESS[1]}"
}

end_vms()
{
	local fd=${VMS_PROCESS[1]}
	exec {fd}>&-
	wait "$vms_pid"
}

# configure NAME LINE...: a drop-in, and the daemon reads it
configure()
{
	local name=$1
	shift
	mkdir -p $CONFIG
	printf '%s\n' "$@" >"$CONFIG/$name.conf"
	systemctl reload wtrackd
}

forget_config()
{
	rm -f $CONFIG/*.conf
	systemctl reload wtrackd
}

# logged SINCE PATTERN: did the daemon write such a message?
logged()
{
	journalctl --sync
	journalctl -q -b -o cat --since "$1" -u wtrackd | grep -E -- "$2" >/dev/null
}

nr_sessions_is()
{
	same "$1" "$(manager_prop NSessions)"
}

# nr_vms_is NUMBER [PID]: those listed, or those of one process
nr_vms_is()
{
	same "$1" "$(manager ListVMs | jq --argjson pid "${2:-0}" \
		'[.data[0][] | select($pid == 0 or .[1] == $pid)] | length')"
}

# prop_is WANTED PATH INTERFACE NAME
prop_is()
{
	same "$1" "$(prop "${@:2}")"
}
