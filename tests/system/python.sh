# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The Python package in the hands of ordinary users, and its examples.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

start_bare_vm alice fred
gfn=$(vm_gfn fred)

# begin NAME PATTERN COMMAND...: as alice, in the background, until it has
# printed the pattern, if there is one; what is said to it goes to the descriptor input
begin()
{
	local dir=$SCRATCH/$1 pattern=$2
	shift 2
	mkdir -p "$dir"
	mkfifo "$dir/in"
	as_user alice PYTHONUNBUFFERED=1 "$@" <"$dir/in" >"$dir/out" 2>&1 &
	program=$!
	exec {input}>"$dir/in"
	out=$dir/out
	[ -z "$pattern" ] || wait_for grep -q "$pattern" "$out"
}

# ends: the program, well
ends()
{
	local status=0
	exec {input}>&-
	wait "$program" || status=$?
	same 0 $status || { cat "$out"; return 1; }
}

# prints LINE: as its last
prints()
{
	same "$1" "$(tail -n 1 "$out")"
}

open_as()
{
	as_user "$1" python3 -W error -c \
		"import wtrack; wtrack.Session.open_daemon('fred').close()"
}
check "alice opens a session on her VM" open_as alice
check_fails "bob is refused, and told why" \
	"^wtrack.RefusedError: .*policy: uid $(id -u bob) " open_as bob

check "a program reads batches" begin values ^ready \
	python_session.py values fred "$gfn" 1000
last=$(vm_burst fred 1000)
check "which ends" ends
check "it saw each store and what was stored" \
	prints "1000 stores, the last of $last, none missing"

check "a program with asyncio" begin asyncio '^0 stores' \
	asyncio_reader.py fred "$gfn" 500
vm_burst fred 500 >/dev/null
check "ends when it has seen all" ends
check "which is as many as there were" \
	prints "500 stores, 0 pages to re-read"

check "a program whose ring is small" begin overflow ^ready \
	python_session.py overflow fred "$gfn" 500
vm_burst fred 500 >/dev/null
echo >&"$input"
check "ends as well" ends
check "it is told which page to re-read" prints "True True True 1"

check "a program with two threads" begin close ^ready \
	python_session.py close fred "$gfn" 0
echo >&"$input"
check "of which one closes the session ends" ends
check "the other one is told" prints "['the session is closed']"

check "a program that passes its session on" begin pass ^ready \
	python_session.py pass fred "$gfn" 400
last=$(vm_burst fred 400)
check "ends when the other one has read" ends
check "which reads on where it stopped" \
	prints "200 stores, the last of $last, none missing"
check "nothing is left" wait_for nr_sessions_is 0

tracked()
{
	wtrackctl tracked --vm=fred --json=short | grep -q "\"gfn\":$((gfn))"
}
shown()
{
	same 2 "$(grep -c '^8 bytes at 0x8000' "$out")"
}
check "the first program" begin first '' first.py fred "$gfn"
check "tracks its page" wait_for tracked
vm_burst fred 2 >/dev/null
check "shows each store" wait_for shown
stop_vm fred
check "ends with the VM" ends
check "and says so" prints "the VM is gone"

start_bare_vm alice hugo 4
check "the example with batches" begin batch ^ready \
	batch.py hugo "$(vm_gfn hugo)" 4 10
vm_burst hugo 1000 >/dev/null
check "ends after its time" ends
check "it counts by the page" same 4 "$(grep -c '^0x800[0-3] 250$' "$out")"
check "nothing is left of them" wait_for nr_sessions_is 0
finish
