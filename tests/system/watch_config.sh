# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Files of watches that are wrong, and files that change.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-watch.sh"

warned()
{
	journalctl --sync
	journalctl -q --since="$began" -o cat "MESSAGE_ID=$CONFIG_PROBLEM" >"$SCRATCH/warned"
	grep -qF -- "$1" "$SCRATCH/warned" || { cat "$SCRATCH/warned"; return 1; }
}

sessions_of()
{
	entries "$1" "$ARMED" | field WTRACK_SESSION
}

pages_of_session()
{
	busctl get-property org.wtrack1 "/org/wtrack1/session/$1" \
		org.wtrack1.Session Pages
}

has_pages()
{
	same "t $2" "$(pages_of_session "$1")"
}

start_bare_vm alice fred 2
first=$(vm_gfn fred 0)
second=$(vm_gfn fred 1)
watch_file 10-good '[Match]' 'Name=fred' '[Watch]' "Gfn=$first"
watch_file 20-wrong '[Match]' 'Name=fred' '[Watch]' "Gfn=$first" 'Gfn=0x1-' \
	'Colour=red'
watch_file 30-wider '[Match]' 'Name=fred' 'User=nobody-of-that-name' \
	'[Watch]' "Gfn=$first"
head -c 5000 /dev/urandom >"$WATCHES/40-garbage.conf"
printf '[Match]\nName=fred\n[Wat' >"$WATCHES/50-cut.conf"
: >"$WATCHES/60-empty.conf"
mkdir -p "$WATCHES/70-directory.conf"
ln -s /dev/zero "$WATCHES/80-endless.conf"
watch_file 90-good '[Match]' 'Name=fred' '[Watch]' "Gfn=$second"

# 30 letters of two bytes, each of which is stored as four characters.
cyrillic=жжжжжжжжжжжжжжжжжжжжжжжжжжжжжж
watch_file "$cyrillic" '[Match]' 'Name=fred' '[Watch]' "Gfn=$first"
watch_file $'85-\xff' '[Match]' 'Name=fred' '[Watch]' "Gfn=$first"

check "all of it is taken in" reload_watches
check "a name that could not be stored is told" warned "its name is too long"
check "a name that is no text is told" warned "its name is not printable UTF-8"
check "a wrong value is named with file and line" \
	warned "$WATCHES/20-wrong.conf:5: Gfn=0x1-: not understood"
check "an unknown key as well" \
	warned "$WATCHES/20-wrong.conf:6: unknown key Colour="
check "a mistake in [Match] makes no watch" \
	warned "$WATCHES/30-wider.conf: no watch"
check "garbage makes none" warned "$WATCHES/40-garbage.conf"
check "nor does a file that was cut off" warned "$WATCHES/50-cut.conf"
for watch in 10-good 20-wrong 90-good; do
	check "$watch works" wait_for has_entries "$watch" "$ARMED" 1
done
check "no others do" same "10-good 20-wrong 90-good" "$(busctl --list tree \
	$WATCH_BUS | sed -n 's|.*/Watches/||p' | sed 's/_2d/-/g;s/_3\([0-9]\)/\1/g' |
	sort | xargs)"

check "doctor shows what is wrong" grep -F \
	"20-wrong.conf:5: Gfn=0x1-: not understood" <(wtrackctl doctor)
check "systemctl status as well" grep -F "$WATCHES/" \
	<(systemctl show -P StatusText wtrack-watch)
check "and wtrackd's own reload has the watches read again" \
	systemctl reload wtrackd

rm -r "$WATCHES"/[2-8]*
session=$(sessions_of 10-good)
watch_file 90-good '[Match]' 'Name=fred' '[Watch]' "Gfn=$second" "Gfn=$first"
check "a second reload" reload_watches
check "ends what has no file" wait_for has_entries 20-wrong "$STOPPED" 1
check "adds pages to a session" \
	wait_for has_pages "$(sessions_of 90-good)" 2
check "and opens no other" has_entries 90-good "$ARMED" 1
check "wtrackctl names the watch of a session" eval \
	'wtrackctl sessions --json=short | jq -e --argjson id "$session" \
	".sessions | any(.id == \$id and .kind == \"watch\" and .watch == \"10-good\")"'
check "an unchanged watch keeps its session" \
	same "$session" "$(sessions_of 10-good)"
vm_burst fred 4 >"$SCRATCH/burst"
check "the changed one sees both pages" \
	wait_for has_entries 90-good "$WRITE" 4
check "the unchanged one its own" has_entries 10-good "$WRITE" 2

watch_file 90-good '[Match]' 'Name=fred' '[Watch]' "Gfn=$second" 'Budget=50'
reload_watches
check "a budget needs another session" \
	wait_for has_entries 90-good "$ARMED" 2
check "the one before ended" has_entries 90-good "$STOPPED" 1

watch_file by-machine '[Match]' 'Machine=cast?r' '[Watch]' "Gfn=$first"
watch_file by-cgroup '[Match]' 'Cgroup=/system.slice/vm-f*.service' \
	'[Watch]' "Gfn=$first"
watch_file by-user '[Match]' "User=$(id -u alice)" '[Watch]' "Gfn=$first"
watch_file by-another '[Match]' 'User=bob' 'Name=fred' '[Watch]' "Gfn=$first"
check "watches by other properties" reload_watches
check "by control group" wait_for has_entries by-cgroup "$ARMED" 1
check "by user" wait_for has_entries by-user "$ARMED" 1
check "not by a machine that is none" has_entries by-machine "$ARMED" 0
check "machined names it" machine_register fred castor
check "by machine" wait_for has_entries by-machine "$ARMED" 1
check "not by another user" has_entries by-another "$ARMED" 0
finish
