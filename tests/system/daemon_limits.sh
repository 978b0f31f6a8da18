# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a user's sessions may use: refused by the name of the limit, given back
# when they are closed, and changed by a reload for new sessions only.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

trap 'forget_config; leave' EXIT
start_vms alice 1
pid=$vms_pid

configure limits '[Limits]' UserSessions=3 UserPages=100 SessionPages=60 \
	UserRingBytes=128K SessionRingBytes=64K
hold_as alice three -n 4 -p 10 -r 256 "$pid"
check "three sessions are opened" same 3 "$(held three)"
check "the fourth is refused by UserSessions" grep -q \
	"^error EDQUOT limit: UserSessions" "$SCRATCH/three/out"
check "the journal has it" logged -1min "refused OpenSession of uid $(id -u alice)"
hold_as root root -n 5 "$pid"
check "root is not limited" same 5 "$(held root)"
let_go root
let_go three
check "all are closed" wait_for nr_sessions_is 0

hold_as alice pages -n 2 -p 60 -r 256 "$pid"
check "pages are counted together" grep -q \
	"^error EDQUOT limit: UserPages .* has 40 left" "$SCRATCH/pages/out"
let_go pages
hold_as alice much -p 61 "$pid"
check "one session may have so many pages" grep -q \
	"^error EDQUOT limit: SessionPages=60" "$SCRATCH/much/out"
let_go much
wait_for nr_sessions_is 0
hold_as alice rings -n 3 -p 1 -r 1024 "$pid"
check "rings are counted together" grep -q \
	"^error EDQUOT limit: UserRingBytes .* has 0 left" "$SCRATCH/rings/out"

configure limits '[Limits]' UserSessions=2 UserPages=100
check "sessions that are open stay so" nr_sessions_is 2
hold_as alice more "$pid"
check "the new limit counts the old sessions" grep -q \
	"^error EDQUOT limit: UserSessions" "$SCRATCH/more/out"
let_go more
let_go rings
wait_for nr_sessions_is 0
hold_as alice share "$pid"
check "who asks for nothing gets a share" same 50 \
	"$(prop "$ROOT/session/$(held_id share)" Session MaxPages)"
kill -9 "$(prop "$ROOT/session/$(held_id share)" Session ClientPid)"
check "the sessions of who is killed are given back" \
	wait_for nr_sessions_is 0
hold_as alice again -n 2 "$pid"
check "and can be had again" same 2 "$(held again)"
let_go again

wait_for nr_sessions_is 0
configure limits '[Guard]' Budget=65535 BudgetPeriodMs=4000
hold_as alice budget "$pid"
check "the module takes the largest budget of a configuration" \
	same 1 "$(held budget)"
let_go budget

configure limits '[Limits]' UserSessions=200
end_vms
start_vms alice 4
many()
{
	local fd
	for fd in "${vm_fds[@]}"; do
		hold_as alice "many$fd" -n 50 "$vms_pid:$fd"
		same 50 "$(held "many$fd")" || return
	done
}
check "200 sessions are opened" many
check "200 sessions are accounted for" nr_sessions_is 200
check "the list has all of them" same 200 \
	"$(manager ListSessions | jq '.data[0] | length')"
for fd in "${vm_fds[@]}"; do
	let_go "many$fd"
done
check "200 sessions are closed" wait_for nr_sessions_is 0
finish
