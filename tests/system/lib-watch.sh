# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # for cases
# Sourced by cases about watches: their files, and what the journal says.

WATCHES=/etc/wtrackd/watches.d
WATCH_BUS=org.wtrack1.Watches
WATCH_ROOT=/org/wtrack1/Watches

# common/message-ids.h
ARMED=a7efd454e6e44e628fcf10a79a4311f7
RESUMED=f1087e16f566436fbcc0c93f8de08cdc
WRITE=30048d38a22c45d0917dded25544b366
PAUSED=5d0a7f1c3b0e4c6f9a2d84e6b1f7c935
LIMITED=c4b430ecb60a46cb9d59d9a174378007
SUPPRESSED=a1f946d1fceb4cf1967108daa6d88fc5
OVERFLOW=2bf70de89c704c2eba47998252c086f0
RESYNC=afbc56d46f5b4d5b9db2105ea8a3b89c
REMOVED=200a555e035844e89e0091f92edc3089
GAP=ebdb8c24be7442fb85327ed279b4eaf1
REARMED=ee1ea99502fa46b4b8715020188a9d64
ENDED=62edb6895cee4f74a457c59d9dc49433
STOPPED=60bf311f18f040f09766aa79ed7f9406
FAILED=7037b31eabe14068b220eb71e51870f8
CONFIG_PROBLEM=3a1d0c9d119d4795a642c1dc4fdcc154

# Cases before this one have watched, too.
began=$(date +@%s.%6N)
trap 'leave_watches' EXIT

# watch_file NAME LINE...
watch_file()
{
	local name=$1
	shift
	mkdir -p "$WATCHES"
	printf '%s\n' "$@" >"$WATCHES/$name.conf"
}

# By themselves, so that a case says when.
reload_watches()
{
	systemctl reload wtrack-watch
}

# watch_prop WATCH NAME: the value alone, as busctl writes it
watch_prop()
{
	busctl get-property $WATCH_BUS "$WATCH_ROOT/$1" org.wtrack1.Watch "$2" |
		cut -d' ' -f2-
}

# watch_prop_is VALUE WATCH NAME
watch_prop_is()
{
	same "$1" "$(watch_prop "$2" "$3")"
}

watch_problems()
{
	busctl get-property $WATCH_BUS $WATCH_ROOT org.wtrack1.Watches Problems |
		cut -d' ' -f2-
}

# As it was before this case.
forget_watches()
{
	rm -rf "${WATCHES:?}"/*.conf
	reload_watches
}

leave_watches()
{
	local status=$?
	forget_watches
	(exit "$status")
	leave
}

# entries WATCH MESSAGE_ID...: as JSON, one a line
entries()
{
	local watch=$1 id matches=()
	shift
	for id; do
		matches+=("MESSAGE_ID=$id")
	done
	journalctl --sync
	journalctl -q --since="$began" -o json --all \
		"WTRACK_WATCH=$watch" "${matches[@]}"
}

# nr_entries WATCH MESSAGE_ID
nr_entries()
{
	entries "$@" | wc -l
}

# has_entries WATCH MESSAGE_ID COUNT
has_entries()
{
	local nr
	nr=$(nr_entries "$1" "$2")
	[ "$nr" = "$3" ] || { echo "$nr entries, not $3"; return 1; }
}

# field NAME: of the entries in the input, one a line
field()
{
	jq -r ".$1"
}

# little_endian: numbers of the hexadecimal bytes in the input
little_endian()
{
	sed -E 's/(..)(..)(..)(..)(..)(..)(..)(..)/0x\8\7\6\5\4\3\2\1/' |
		while read -r number; do
			echo $((number))
		done
}
