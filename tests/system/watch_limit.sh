# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The rate limit, and a journal that does not read.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-watch.sh"

held_back()
{
	entries "$1" "$SUPPRESSED" | field WTRACK_SUPPRESSED |
		awk '{ sum += $1 } END { print sum + 0 }'
}

all_accounted_for()
{
	local nr
	nr=$(($(nr_entries "$1" "$WRITE") + $(held_back "$1")))
	[ $nr = "$2" ] || { echo "$nr, not $2"; return 1; }
}

journald()
{
	systemctl show -P MainPID systemd-journald
}

# Without the journal's help: are the loops turning?
daemon_answers()
{
	timeout 5 busctl get-property org.wtrack1 /org/wtrack1 \
		org.wtrack1.Manager NVMs &&
		timeout 5 busctl get-property $WATCH_BUS $WATCH_ROOT \
			org.wtrack1.Watches Problems
}

# Every number that is not in an entry of its own is behind an overflow.
gaps_are_overflows()
{
	entries unlimited "$WRITE" "$OVERFLOW" | jq -r \
		'.WTRACK_SEQ + " " + .MESSAGE_ID' | sort -n -u |
		awk -v overflow="$OVERFLOW" '
			$1 != last + 1 { print "hole", last, $1; bad = 1 }
			{ last = $1 }
			$2 == overflow { found++ }
			END { exit bad || !found }'
}

start_bare_vm alice fred
gfn=$(vm_gfn fred)
watch_file limited '[Match]' 'Name=fred' '[Watch]' "Gfn=$gfn" \
	'RateLimitInterval=4s' 'RateLimitBurst=10'
reload_watches
wait_for has_entries limited "$ARMED" 1 || bail "the watch does not begin"
vm_burst fred 200 >"$SCRATCH/burst"
check "the rest is summed up" wait_for all_accounted_for limited 200
check "a burst was logged" test "$(nr_entries limited "$WRITE")" -ge 10
check "and not much more" test "$(nr_entries limited "$WRITE")" -le 60
check "the summary says which page" \
	grep -q "^$gfn:[0-9]*$" <(entries limited "$SUPPRESSED" |
		field WTRACK_PAGES)
check "the summary was announced" \
	test "$(nr_entries limited "$LIMITED")" -ge 1
forget_watches

watch_file unlimited '[Match]' 'Name=fred' '[Watch]' "Gfn=$gfn" \
	'RateLimitBurst=0'
reload_watches
wait_for has_entries unlimited "$ARMED" 1 || bail "the watch does not begin"
pid=$(journald)
kill -STOP "$pid"
vm_burst fred 6000 >"$SCRATCH/burst"
# Each of these has a message in the journal.
as_user bob hold fred </dev/null >"$SCRATCH/refused" 2>&1
status=0
daemon_answers >"$SCRATCH/answer" 2>&1 || status=$?
kill -CONT "$pid"
check "with journald stopped the daemon answers" test "$status" = 0
check "pages are named when the ring was full" \
	wait_for has_entries unlimited "$RESYNC" 1
check "to be read again" same "$gfn+1" \
	"$(entries unlimited "$RESYNC" | field WTRACK_PAGES)"
check "nothing else is missing" wait_for gaps_are_overflows
vm_burst fred 1 >"$SCRATCH/burst"
check "and it goes on" wait_for gaps_are_overflows
finish
