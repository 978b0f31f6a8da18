#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# list, show, sessions, tracked, map, dump: text and JSON, as their users see them.
# shellcheck disable=SC2016 # variables of jq
. "$(dirname "$0")/lib.sh"

# json USER COMMAND...: what it prints is one object with the schema; kept
json()
{
	local user=$1
	shift
	as_user "$user" wtrackctl "$@" --json=short >"$SCRATCH/json" 2>"$SCRATCH/err"
	[ "$(wc -l <"$SCRATCH/json")" = 1 ] &&
		jq -e '.schema == 1' "$SCRATCH/json" >"$SCRATCH/schema"
}

# holds FILTER: of what json kept
holds()
{
	jq -e "$@" "$SCRATCH/json" >"$SCRATCH/held" && return
	cat "$SCRATCH/json"
	return 1
}

# ends WANTED COMMAND...: with that exit code and at most one line on stderr
ends()
{
	local want=$1 code=0
	shift
	"$@" >"$SCRATCH/out" 2>"$SCRATCH/err" || code=$?
	[ "$code" = "$want" ] && [ "$(wc -l <"$SCRATCH/err")" -le 1 ] && return
	echo "exit code $code, not $want"
	cat "$SCRATCH/out" "$SCRATCH/err"
	return 1
}

no_vms()
{
	json alice list
	holds '.vms == []' &&
		same "No VMs." "$(as_user alice wtrackctl list)" &&
		same "" "$(as_user alice wtrackctl list --no-legend)" &&
		json alice sessions && holds '.sessions == []'
}

# The heading, a row for each VM, the sum.
list_has_both()
{
	as_user alice wtrackctl list >"$SCRATCH/list"
	cat "$SCRATCH/list"
	grep -qE '^VM +NAME +USER +SESSIONS +PAGES +MEMORY$' "$SCRATCH/list" &&
		grep -qE "^$fred +fred +alice +0 +0 " "$SCRATCH/list" &&
		grep -qE "^$bert +bert +bob +0 +0 " "$SCRATCH/list" &&
		grep -qx '2 VMs.' "$SCRATCH/list"
}

list_is_json()
{
	json bob list &&
		holds --argjson pid "$fred" '.command == "list" and
			(.vms | length) == 2 and (.vms | map(.pid) | sort) ==
			(.vms | map(.pid)) and (.vms[] | select(.pid == $pid) |
			.name == "fred" and .user == "alice" and .uid == 1001 and
			.nr_sessions == 0 and .gone == false)'
}

# A VM is found by each of its names.
names_are_the_same()
{
	local name
	for name in "$fred" fred machine-of-fred; do
		json alice show "$name" &&
			holds --argjson pid "$fred" '.vm.pid == $pid' || return
	done
	as_user alice wtrackctl show --vm=fred >"$SCRATCH/show"
	cat "$SCRATCH/show"
	grep -qE "^ +process +$fred, descriptor" "$SCRATCH/show" &&
		grep -qE '^ +machine +machine-of-fred$' "$SCRATCH/show"
}

# session_is_listed USER
session_is_listed()
{
	json "$1" sessions && holds --argjson pid "$client" --argjson vm "$fred" \
		'.sessions | length == 1 and (.[0] | .client_pid == $pid and
			.client_user == "alice" and .kind == "client" and
			.pages == 4 and .vm.pid == $vm and
			.vm.name == "machine-of-fred" and
			(.state | index("ring") != null))' &&
		json "$1" sessions bert && holds '.sessions == []' &&
		json "$1" sessions fred && holds '.sessions | length == 1' || return
	as_user "$1" wtrackctl sessions >"$SCRATCH/sessions"
	cat "$SCRATCH/sessions"
	grep -qE "^ *[0-9]+ +$fred +machine-of-fred +client +alice +$client +4 " \
		"$SCRATCH/sessions" && grep -qx '1 session.' "$SCRATCH/sessions"
}

tracked_shows_the_pages()
{
	local last=$((gfn + 3))
	json alice tracked fred &&
		holds --argjson gfn "$((gfn))" '.pages == 4 and
			(.sessions | length) == 1 and
			.sessions[0].ranges == [{gfn: $gfn, nr_pages: 4}]' || return
	as_user alice wtrackctl tracked fred >"$SCRATCH/tracked"
	cat "$SCRATCH/tracked"
	grep -qE "$(printf '%#x +%#x +4 +%#x$' "$gfn" "$last" \
		"$((gfn << 12))")" "$SCRATCH/tracked" &&
		grep -qx '4 pages in 1 session.' "$SCRATCH/tracked"
}

map_shows_the_memory()
{
	json alice map fred && holds --argjson gfn "$((gfn))" '.command == "map" and
		(.regions | map(.gfn) | sort) == (.regions | map(.gfn)) and
		any(.regions[]; .gfn <= $gfn and .gfn + .nr_pages >= $gfn + 4 and
			(.read_only or .kvm | not)) and
		any(.regions[]; .read_only)' || return
	as_user alice wtrackctl map fred >"$SCRATCH/map"
	cat "$SCRATCH/map"
	grep -qE '^ *FIRST +LAST +PAGES +SIZE +ADDRESS +KIND$' "$SCRATCH/map" &&
		grep -qE '^ *0x0 +0x[0-9a-f]+ +[0-9]+ +[0-9.]+[KM] +0x0 +-$' \
			"$SCRATCH/map" &&
		grep -qE ' read-only$' "$SCRATCH/map" &&
		grep -qE '^[0-9]+ regions\.$' "$SCRATCH/map"
}

# A page that two sessions track is one page.
pages_count_once()
{
	json alice tracked fred && holds '.pages == 4 and
		(.sessions | map(.ranges[].nr_pages) | add) == 6' || return
	wait_for list_has_pages 4 &&
		as_user alice wtrackctl tracked fred >"$SCRATCH/tracked"
	cat "$SCRATCH/tracked"
	grep -qx '4 pages in 2 sessions.' "$SCRATCH/tracked" || return
	as_user alice wtrackctl show fred >"$SCRATCH/show"
	cat "$SCRATCH/show"
	grep -qE '^ +pages +4 in 2 sessions$' "$SCRATCH/show"
}

list_has_pages()
{
	json alice list && holds --argjson pid "$fred" --argjson pages "$1" \
		'.vms[] | select(.pid == $pid) | .pages == $pages and
			.nr_sessions == 2'
}

# What QEMU itself says is there.
dump_is_the_memory()
{
	local gpa=$((gfn << 12)) dir=$VMS/fred first
	vm_qmp fred pmemsave "{\"val\":$gpa,\"size\":16384,\"filename\":\"m\"}"
	wait_for test -s "$dir/m"
	first=$(head -c 8 "$dir/m" | od -An -tx1)
	as_user alice wtrackctl dump fred --gfn "$gfn+4" --raw >"$SCRATCH/raw"
	cmp "$SCRATCH/raw" "$dir/m" || return
	as_user alice wtrackctl dump fred --gpa "$((gpa + 4))+20" \
		--raw >"$SCRATCH/raw"
	cmp "$SCRATCH/raw" <(tail -c +5 "$dir/m" | head -c 20) || return
	json alice dump fred --gpa "$gpa+8" && holds --arg gpa \
		"$(printf '%#x' $gpa)" --arg data "${first// /}" \
		'.memory == [{gpa: $gpa, len: 8, data: $data}]' || return
	# The pages have a word each.
	as_user alice wtrackctl dump fred --gfn "$gfn" >"$SCRATCH/dump"
	cat "$SCRATCH/dump"
	same "$(printf '0x%010x  %s' $gpa "$first")" "$(head -c 38 "$SCRATCH/dump")" &&
		grep -qxF '*' "$SCRATCH/dump" &&
		same "$(printf '0x%010x' $((gpa + 4096)))" "$(tail -n 1 "$SCRATCH/dump")"
}

dump_says_where_memory_ends()
{
	ends 3 as_user alice wtrackctl dump fred --gfn 0xfffff000 &&
		grep -qF 'reading at 0xfffff000000: ' "$SCRATCH/err" &&
		ends 4 as_user bob wtrackctl dump fred --gfn "$gfn" &&
		ends 4 as_user bob wtrackctl map fred
}

no_sessions()
{
	same "No sessions." "$(wtrackctl sessions)"
}

tracked_is_not_for_strangers()
{
	ends 4 as_user bob wtrackctl tracked fred --json=short &&
		cp "$SCRATCH/out" "$SCRATCH/json" &&
		holds '.error.code == "permission"'
}

not_found()
{
	local command
	for command in show tracked sessions stat; do
		ends 3 as_user alice wtrackctl $command nobody --json=short &&
			cp "$SCRATCH/out" "$SCRATCH/json" &&
			holds 'select(.type != "started") |
				.error.code == "not-found"' || return
	done
	grep -q 'wtrackctl list' "$SCRATCH/err"
}

# In the name of a VM: a control sequence, the same in one character, and text
# that runs backwards.
hostile_name_is_harmless()
{
	wtrackctl list >"$SCRATCH/list"
	wtrackctl list --json=short >"$SCRATCH/json"
	cat -v "$SCRATCH/list"
	! grep -qE $'\033|\u009b|\u202e' "$SCRATCH/list" "$SCRATCH/json" &&
		grep -qF '31m\u202egpj' "$SCRATCH/list" &&
		holds '[.vms[].name] | any(endswith("31m\u202egpj"))'
}

systemctl start wtrackd
check "without VMs there is none, in words and in JSON" no_vms
start_bare_vm alice fred 4
start_bare_vm bob bert
fred=$(vm_pid fred)
bert=$(vm_pid bert)
gfn=$(vm_gfn fred)
check "list has a row for each VM" list_has_both
check "list in JSON has their facts" list_is_json
machine_register fred machine-of-fred >"$SCRATCH/machine"
check "show finds a VM by pid, QEMU name and machine name" names_are_the_same

as_user alice wtrackctl monitor fred --gfn "$gfn+4" --json=short \
	>"$SCRATCH/monitor" 2>&1 &
wait_for grep -q started "$SCRATCH/monitor"
client=$(pgrep -u alice -x wtrackctl)
check "sessions has the one that was opened" session_is_listed alice
# The daemon shows strangers its counters as of the beginning of a period.
check "strangers see the same later" wait_for session_is_listed bob
check "tracked has its pages" tracked_shows_the_pages
check "tracked does not tell strangers" tracked_is_not_for_strangers
check "map has the guest's memory" map_shows_the_memory
check "dump is what the memory holds" dump_is_the_memory
check "dump and map are not for strangers, nor of what is not there" \
	dump_says_where_memory_ends
as_user alice wtrackctl monitor fred --gfn "$gfn+2" --json=short \
	>"$SCRATCH/monitor" 2>&1 &
wait_for grep -q started "$SCRATCH/monitor"
check "pages of two sessions count once" pages_count_once
pkill -u alice -x wtrackctl
wait
check "a session is gone with its client" wait_for no_sessions
check "a VM that is none ends with 3" not_found

stop_vm bert
start_bare_vm bob bert 1 0 -name $'guest=x\033[2Jy\u009b31m\u202egpj'
check "a hostile name steers no terminal" hostile_name_is_harmless
finish
