# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A hundred restarts of wtrack-watch, half of them by SIGKILL, and some of wtrackd
# meanwhile, while a guest writes: a watch loses no write, and logs some twice at
# most.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-watch.sh"

RESTARTS=100

watch_pid()
{
	systemctl show -P MainPID wtrack-watch
}

is_another()
{
	local pid
	pid=$(watch_pid)
	[ "$pid" != 0 ] && [ "$pid" != "$1" ] &&
		[ "$(systemctl show -P SubState wtrack-watch)" = running ]
}

restart()
{
	systemctl restart wtrack-watch
}

crash()
{
	local pid
	pid=$(watch_pid)
	kill -KILL "$pid"
	wait_for is_another "$pid"
}

# Not always in the same place of what it does.
restarts()
{
	local i
	for ((i = 0; i < RESTARTS; i++)); do
		if ((i % 2)); then crash; else restart; fi || return 1
		((i % 20)) || systemctl kill --signal=KILL wtrackd
		sleep "0.$((i * 7 % 10))"
	done
}

stored()
{
	systemctl show -P NFileDescriptorStore wtrack-watch
}

seqs()
{
	entries doorbells "$WRITE" | field WTRACK_SEQ | sort -n
}

all_logged()
{
	local wanted
	wanted=$(seq "$1")
	[ "$(seqs | uniq)" = "$wanted" ] || {
		diff <(seqs | uniq) <(echo "$wanted") | head -n 20
		return 1
	}
}

start_bare_vm alice fred
watch_file doorbells '[Match]' 'Name=fred' '[Watch]' "Gfn=$(vm_gfn fred)" \
	'RateLimitBurst=0'
reload_watches
wait_for has_entries doorbells "$ARMED" 1 || bail "the watch does not begin"
check "the session is in the fd store" same 1 "$(stored)"
vm_rate fred 20 >"$SCRATCH/before"
check "a hundred restarts" restarts
stores=$(vm_rate fred 0)
echo "# $stores stores, $(seqs | wc -l) entries"
check "the guest has stored meanwhile" test "$stores" -gt 500
check "each store was logged" wait_for all_logged "$stores"
check "with what was stored" same "$(seq "$stores")" \
	"$(entries doorbells "$WRITE" | field WTRACK_DATA | little_endian |
		sort -n -u)"
check "by one session" has_entries doorbells "$ARMED" 1
check "that was taken over each time" \
	has_entries doorbells "$RESUMED" "$RESTARTS"
check "and is still there once" same 1 "$(stored)"

pid=$(watch_pid)
systemctl kill --signal=STOP wtrack-watch
vm_burst fred 10 >"$SCRATCH/burst"
stop_vm fred
kill -KILL "$pid"
check "it comes back" wait_for is_another "$pid"
check "what a VM wrote last is logged when it is gone" \
	wait_for all_logged $((stores + 10))
check "and its end" wait_for has_entries doorbells "$ENDED" 1
check "its session is not stored any more" wait_for same 0 "$(stored)"
finish
