# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# wtrackctl top, in a terminal of 80 by 24: what it shows, its keys, its size,
# and that it gives the terminal back.
. "$(dirname "$0")/lib.sh"

export LC_ALL=C.UTF-8

pane()
{
	tmux capture-pane -p -t top
}

shows()
{
	pane | grep -E -- "$1" >/dev/null
}

shows_not()
{
	! shows "$1"
}

# save NAME COMMAND...: what it prints
save()
{
	local name=$1
	shift
	"$@" >"$SCRATCH/$name"
}

# Lines of what is shown, without the empty lines behind
lines()
{
	pane | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' | wc -l
}

widest()
{
	pane | awk '{ if (length > n) n = length } END { print n + 0 }'
}

keys()
{
	tmux send-keys -t top "$@"
}

start_bare_vm alice fred 2 400
pid=$(vm_pid fred)
page0=$(vm_gfn fred 0)
page1=$(vm_gfn fred 1)

check "a terminal of 80 by 24" tmux new-session -d -s top -x 80 -y 24 \
	"wtrackctl top $pid --gfn $page0 --gfn $page1; echo ended with \$?; cat"
check "shows its name" wait_for shows "^wtrackctl top "
check "shows the VM" wait_for shows "^ +$pid +fred +alice "
check "shows its own session" wait_for shows "^ +[0-9]+ +$pid +client +root "
check "shows rates of the VM" wait_for shows "^ +$pid +fred .* [1-9][0-9.k]*\$"
check "shows the pages" wait_for shows "^ +$page0 .* [1-9][0-9.k]*\$"
check "shows both" wait_for shows "^ +$page1 .* [1-9][0-9.k]*\$"
check "fills the screen" same 24 "$(lines)"
check "goes not beyond it" test "$(widest)" -le 80

keys Tab Tab
check "Tab goes to the pages" wait_for shows "^> Pages of $pid \(2\) by rate"
keys s
check "s sorts" wait_for shows "^> Pages of $pid \(2\) by number"
keys r
check "r reverses" wait_for shows "by number, reversed"
keys p
check "p pauses" wait_for shows PAUSED
keys p
check "and goes on" wait_for shows_not PAUSED
keys h
check "h helps" wait_for shows "Tab, Shift-Tab"
keys h
check "and goes back" wait_for shows "^  VMs "

tmux resize-window -t top -x 120 -y 40
check "it follows the size" wait_for same 40 "$(lines)"
check "over all of its width" wait_for shows '^.{100,}$'
tmux resize-window -t top -x 20 -y 5
check "a size that is too small is told" wait_for shows "^the terminal is too"
tmux resize-window -t top -x 80 -y 24
check "and left again" wait_for shows "^  VMs "

keys q
check "q ends it" wait_for shows "^ended with 0"
check "the terminal is as before" shows_not "wtrackctl top"
tmux kill-session -t top

tmux new-session -d -s top -x 80 -y 24 \
	"wtrackctl top $pid --gfn $page0; echo ended with \$?; cat"
wait_for shows "^wtrackctl top "
stop_vm fred
check "it ends with the VM" wait_for shows "^ended with 0"
tmux kill-session -t top

start_bare_vm alice fred 1 400
pid=$(vm_pid fred)
check "--json prints one line" save json wtrackctl top "$pid" \
	--gfn "$(vm_gfn fred)" --json=short
# shellcheck disable=SC2016 # jq's variable
check "with rates" jq -se --argjson pid "$pid" '.[0].type == "top" and
	.[0].vms[0].pid == $pid and .[0].pages[0].writes_per_second > 0 and
	.[1].type == "ended"' "$SCRATCH/json"
check "--batch prints tables" save text wtrackctl top --batch
check "with VMs" grep -qE "^ +$pid +fred " "$SCRATCH/text"
check "a pipe gets tables, too" bash -c "wtrackctl top | grep fred"
check_fails "pages need a VM" "give --vm" wtrackctl top --gfn 1
check_fails "a VM needs pages" "give --gfn" wtrackctl top "$pid"
finish
