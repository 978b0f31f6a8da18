# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# wtrackctl monitor: each store of a guest, in its order; how it ends.
. "$(dirname "$0")/lib.sh"

# monitor OPTION...: in the background, on both pages, until it has started
monitor()
{
	: >"$SCRATCH/seen"
	# Shells start what is in the background with SIGINT ignored.
	env --default-signal=INT wtrackctl monitor "$pid" --gfn "$page0" \
		--gfn "$page1" --json=short \
		"$@" >"$SCRATCH/seen" 2>"$SCRATCH/errors" &
	monitor=$!
	wait_for grep -q '"type":"started"' "$SCRATCH/seen" ||
		cat "$SCRATCH/errors"
}

writes()
{
	grep -c '"type":"write"' "$SCRATCH/seen"
}

has_writes()
{
	[ "$(writes)" -ge "$1" ]
}

# Of the guest's counter, which is stored to both pages in turn.
consecutive()
{
	jq -r 'select(.type == "write") | .data' "$SCRATCH/seen" |
		sed -E 's/(..)(..)(..)(..)00000000/0x\4\3\2\1/' |
		while read -r n; do
			[ "${last:-}" = "" ] || same $((last + 1)) $((n)) || exit 1
			last=$((n))
		done
}

# ended REASON COUNT: is the last line
ended()
{
	tail -n 1 "$SCRATCH/seen" | jq -e --arg reason "$1" --argjson count "$2" \
		'.type == "ended" and .reason == $reason and .count == $count'
}

# Nothing is written meanwhile: it has to notice by itself.
ends_without_a_reader()
{
	timeout 20 bash -c "wtrackctl monitor $pid --gfn $page0 --idle=0 |
		head -n 1 >/dev/null"
	[ $? != 124 ]
}

text_of_one_write()
{
	grep -qE '^ +[0-9]+\.[0-9]{6}  write +0x[0-9a-f]{3,} +8 +0  0x[0-9a-f]+ +[0-9a-f]{2}( [0-9a-f]{2}){7}$' \
		"$SCRATCH/text" && grep -q ' |.\{8\}|$' "$SCRATCH/text"
}

# little_endian BYTES: the first four of them
little_endian()
{
	echo $((0x${1:6:2}${1:4:2}${1:2:2}${1:0:2}))
}

# The guest comes back to a place after 1,024 stores: 512 of them are to this page.
old_bytes_are_those_of_before()
{
	local old data nr=0
	while read -r old data; do
		same $(($(little_endian "$data") - 1024)) \
			"$(little_endian "$old")" || return
		nr=$((nr + 1))
	done < <(jq -r 'select(.type == "write") | "\(.old) \(.data)"' \
		"$SCRATCH/seen")
	same 20 $nr
}

# last_of GFN: address and bytes of the last line that has some of this page
last_of()
{
	jq -r --argjson gfn $(($1)) 'select(.gfn == $gfn and .data) |
		"\(.gpa)+\(.length) \(.data)"' "$SCRATCH/seen" | tail -n 1
}

# What the lines came to is what the guest has there.
last_bytes_are_the_memory()
{
	local page where bytes
	for page in "$page0" "$page1"; do
		read -r where bytes <<<"$(last_of "$page")"
		same "$(wtrackctl dump "$pid" --gpa "$where" --json=short |
			jq -r '.memory[0].data')" "$bytes" || return
	done
}

changes_came()
{
	grep -q '"type":"changed"' "$SCRATCH/seen"
}

# The last row that the command printed again is what the memory has there.
follow_shows()
{
	local row
	row=$(sed '1,/^--$/d' "$SCRATCH/text" | tail -n 1)
	[ -n "$row" ] &&
		same "$(wtrackctl dump "$pid" --gpa "${row%% *}+16")" "$row"
}

start_bare_vm alice fred 2 0
pid=$(vm_pid fred)
page0=$(vm_gfn fred 0)
page1=$(vm_gfn fred 1)

monitor
vm_burst fred 60 >/dev/null
check "all writes are shown" wait_for has_writes 60
check "in their order" consecutive
check "and that it is quiet then" wait_for grep -q '"type":"idle"' "$SCRATCH/seen"
kill -INT $monitor
check "SIGINT ends it well" wait $monitor
check "and it says so" ended signal 60
check "each line is JSON" jq -e . "$SCRATCH/seen"
check "with the schema and a type" \
	same "" "$(jq -c 'select(.schema != 1 or (.type | not))' "$SCRATCH/seen")"
check "nothing goes to stderr" same "" "$(cat "$SCRATCH/errors")"

monitor --count=5 --length=8
vm_burst fred 20 >/dev/null
check "--count ends it" wait $monitor
check "after so many writes" ended count 5

monitor --length=1-4 --timeout=3
vm_burst fred 20 >/dev/null
wait $monitor
check "--timeout without a line is told by the exit code" same 6 $?
check "--length hides other writes" ended timeout 0

before=$(vm_burst fred 1)
monitor --count=1 --value=$((before + 3))
vm_burst fred 10 >/dev/null
check "--value finds a write" wait $monitor
check "the right one" grep -q "\"data\":\"$(printf %02x $(((before + 3) % 256)))" \
	"$SCRATCH/seen"

wtrackctl monitor fred --gfn "$page0+1" --count=1 -x >"$SCRATCH/text" &
monitor=$!
wait_for grep -q ' started ' "$SCRATCH/text"
vm_burst fred 4 >/dev/null
check "people get lines" wait $monitor
check "with data" text_of_one_write
check "a reader who is gone ends it" ends_without_a_reader

vm_burst fred 1100 >/dev/null
monitor --diff
vm_burst fred 20 >/dev/null
check "--diff shows all writes" wait_for has_writes 20
kill -INT $monitor
check "and ends well" wait $monitor
check "with the bytes of before" old_bytes_are_those_of_before
check "and the copy is the memory" last_bytes_are_the_memory

monitor --diff --budget=2/1s
vm_burst fred 500 >/dev/null
check "--diff finds what went unseen" wait_for changes_came
wait_for last_bytes_are_the_memory
check "all of it" last_bytes_are_the_memory
kill -INT $monitor
wait $monitor

monitor --once
vm_burst fred 60 >/dev/null
wait_for has_writes 2
kill -INT $monitor
wait $monitor
check "--once shows one write to each page" ended signal 2
check_fails "--idle is not for --diff" "^wtrackctl: .*--idle" \
	wtrackctl monitor "$pid" --gfn "$page0" --diff --idle=1

wtrackctl dump "$pid" --gfn "$page0" --follow >"$SCRATCH/text" &
monitor=$!
wait_for grep -q "^--$" "$SCRATCH/text"
vm_burst fred 5 >/dev/null
check "dump --follow shows rows that change" wait_for follow_shows
kill -TERM $monitor
check "and ends at a signal" wait $monitor

monitor --fail-on-loss --records=64 --count=100000
overflow fred $monitor
check "an overflow is in the stream" \
	wait_for grep -q '"type":"resync"' "$SCRATCH/seen"
stop_vm fred
wait $monitor
check "losses are told by the exit code" same 7 $?
check "the VM's end ends it" grep -q '"reason":"vm_gone"' "$SCRATCH/seen"
check_fails "a VM that is gone is not found" "^wtrackctl: .*$pid" \
	wtrackctl monitor "$pid" --gfn "$page0"
wtrackctl monitor "$pid" --gfn "$page0" >/dev/null 2>&1
check "with the right code" same 3 $?
finish
