# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The daemon is killed: clients do not notice, and the account of them is whole
# when it is back.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

trap 'forget_config; leave' EXIT
start_bare_vm alice fred
configure limits '[Limits]' UserSessions=2
hold_as alice one -g "$(vm_gfn fred)" "$(vm_pid fred)"
id=$(held_id one)

old=$(systemctl show -P MainPID wtrackd)
before=$(vm_burst fred 0)
kill -9 "$old"
during=$(vm_burst fred 500)
back()
{
	[ "$(systemctl show -P MainPID wtrackd)" != "$old" ] &&
		[ "$(systemctl show -P ActiveState wtrackd)" = active ] &&
		nr_sessions_is 1
}
check "it comes back" wait_for back
check "the session is a client's" same '"client"' \
	"$(prop "$ROOT/session/$id" Session Kind)"
check "and alice's" same "$(id -u alice)" \
	"$(prop "$ROOT/session/$id" Session ClientUid)"
hold_as alice two -n 2 fred
check "it still counts for her limit" same 1 "$(held two)"
let_go two

touch "$STATE/4711" "$STATE/.1.new" "$STATE/garbage"
kill -9 "$(systemctl show -P MainPID wtrackd)"
old=''
check "it comes back once more" wait_for back
check "files of sessions that are not there are gone" same "$id" \
	"$(ls -A "$STATE")"
let_go one
check "no event was lost" same "events $id $((during - before))" \
	"$(grep '^events' "$SCRATCH/one/out")"
check "the session is closed" wait_for nr_sessions_is 0
finish
