# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A snapshot is loaded into a VM that is followed: QEMU itself puts the old
# memory in place, which is no write of the guest's.
. "$(dirname "$0")/lib.sh"

# job NAME: it has ended well, and is forgotten
job()
{
	wait_for job_is_over "$1" || return
	vm_qmp fred job-dismiss "{\"id\":\"$1\"}" >/dev/null
}

job_is_over()
{
	vm_qmp fred query-jobs | jq -e --arg id "$1" \
		'.return[] | select(.id == $id) | .status == "concluded" and
		 (has("error") | not)'
}

# A place for snapshots: an empty disk that the guest does not see.
make_disk()
{
	vm_qmp fred blockdev-create '{"job-id":"file","options":
		{"driver":"file","filename":"disk","size":0}}' &&
		job file &&
		vm_qmp fred blockdev-add '{"driver":"file","filename":"disk",
			"node-name":"file"}' &&
		vm_qmp fred blockdev-create '{"job-id":"disk","options":
			{"driver":"qcow2","file":"file","size":1048576}}' &&
		job disk &&
		vm_qmp fred blockdev-add '{"driver":"qcow2","file":"file",
			"node-name":"disk"}'
}

# snapshot save|load
snapshot()
{
	vm_qmp fred "snapshot-$1" "{\"job-id\":\"$1\",\"tag\":\"then\",
		\"vmstate\":\"disk\",\"devices\":[\"disk\"]}" && job "$1"
}

# Of the page that the guest counts in.
page_writes()
{
	jq -c --argjson gfn "$((page))" \
		'select(.type == "write" and .gfn == $gfn)' "$SCRATCH/seen"
}

writes()
{
	page_writes | wc -l
}

has_writes()
{
	[ "$(writes)" -ge "$1" ]
}

# The guest's counter, as the last write of the stream had it.
last_written()
{
	page_writes | jq -r .data | tail -n 1 |
		sed -E 's/(..)(..)(..)(..)00000000/0x\4\3\2\1/'
}

# What is in the stream beside writes.
other_types()
{
	jq -r 'select(.type != "write") | .type' "$SCRATCH/seen" | sort |
		xargs
}

start_bare_vm alice fred 1 0
pid=$(vm_pid fred)
page=$(vm_gfn fred)
make_disk >/dev/null
vm_burst fred 10 >/dev/null
: >"$SCRATCH/seen"
wtrackctl monitor "$pid" --gfn "$page" --gfn 0x10 --gfn 0xc0 --gfn 0xf0 \
	--idle=0 --json=short >"$SCRATCH/seen" 2>"$SCRATCH/errors" &
monitor=$!
wait_for grep -q '"type":"started"' "$SCRATCH/seen"
vm_burst fred 7 >/dev/null
check "a snapshot is taken while the VM is followed" snapshot save
check "that is no write" same 7 "$(writes)"
vm_burst fred 30 >/dev/null
wait_for has_writes 37
before=$(($(last_written)))
check "the snapshot is loaded" snapshot load
vm_qmp fred query-status | sed 's/^/# /'
vm_qmp fred cont >/dev/null
vm_burst fred 5 >/dev/null
check "the guest's writes are seen again" wait_for has_writes 42
after=$(($(last_written)))
echo "# before $before, after $after"
# The counter itself is in memory that was put back.
check "memory went back by 30 writes" same $((before - 30 + 5)) "$after"
kill -TERM $monitor
wait $monitor
# Neither memory that went nor anything else, also of pages that the chipset
# maps anew.
check "no line tells of it" same "ended started" "$(other_types)"
finish
