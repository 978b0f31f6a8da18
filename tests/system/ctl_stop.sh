# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# wtrackctl stop and Session.End(): who may end which sessions, and what is left.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

RULES=/etc/polkit-1/rules.d/10-wtrack-tests.rules
trap 'rm -f $RULES; leave' EXIT

# state_of ID: its state and pages, as sessions has them
state_of()
{
	wtrackctl sessions --json=short | jq -r --argjson id "$1" \
		'.sessions[] | select(.id == $id) |
		"\(.state | index("ended") != null) \(.pages)"'
}

# exits CODE COMMAND...: and says nothing but one line to stderr, if that
exits()
{
	local want=$1
	shift
	"$@" >"$SCRATCH/out" 2>"$SCRATCH/err"
	same "$want" $?
}

no_sessions()
{
	same 0 "$(wtrackctl sessions --json=short | jq '.sessions | length')"
}

start_bare_vm alice fred 4
start_bare_vm bob bert 1
gfn=$(vm_gfn fred)
hold_as alice one -g "$gfn" fred
hold_as alice two -g "$gfn" fred
hold_as root three -g "$gfn" fred
hold_as bob four -g "$(vm_gfn bert)" bert
one=$(held_id one) two=$(held_id two) three=$(held_id three) four=$(held_id four)

check_fails "bob cannot end alice's session" "^wtrackctl: .*session $one" \
	as_user bob wtrackctl --no-ask-password stop "$one"
check_fails "nor can alice end root's, which is on her VM" \
	"^wtrackctl: .*session $three" \
	as_user alice wtrackctl --no-ask-password stop "$three"
check "both go on" same "false 1 false 1" "$(state_of "$one") $(state_of "$three")"
check "alice ends her own" as_user alice wtrackctl stop "$one"
check "it tracks nothing" same "true 0" "$(state_of "$one")"
check "the others do" same "false 1 false 1" "$(state_of "$two") $(state_of "$three")"
check "the page has the users that are left" same 2 "$(wtrackctl tracked fred \
	--json=short | jq '[.sessions[].ranges[]] | length')"
check "to end it once more is no error" as_user alice wtrackctl stop "$one"
check "the journal has who did it" wait_for logged -10min \
	"session $one was ended by uid $(id -u alice)"
mkdir -p "${RULES%/*}"
cat >"$RULES" <<-RULE
	polkit.addRule(function(action, subject) {
		if (action.id == "org.wtrack1.end-session" && subject.user == "bob")
			return polkit.Result.YES;
	});
RULE
chmod 644 "$RULES"
check "polkit lets bob do it" wait_for as_user bob wtrackctl stop "$two"
check "and it is done" same "true 0" "$(state_of "$two")"
check "root ends all of a VM" exits 0 wtrackctl stop --vm fred
check "and says which" grep -q "^Session $three of root" "$SCRATCH/out"
check "a VM keeps no session that tracks" same "true 0" "$(state_of "$three")"
check "that of another VM goes on" same "false 1" "$(state_of "$four")"
check "root ends all of a user" exits 0 wtrackctl stop --user bob
check "by name" same "true 0" "$(state_of "$four")"
check "--all is JSON, too" eval \
	'wtrackctl stop --all --json=short | jq -e ".sessions | length == 4"'
holder=$(pgrep -x -u bob hold)
check "it names who keeps the module in use" eval \
	"wtrackctl stop --all | grep '^The module is in use until .*hold (pid $holder)'"
check "in JSON, too" eval "wtrackctl stop --all --json=short |
	jq -e '.holders | any(.pid == $holder and .comm == \"hold\")'"
rm "$RULES"
for name in one two three four; do
	let_go $name
done
check "sessions go with their holders" wait_for no_sessions
check "without sessions --all is content" exits 0 wtrackctl stop --all
check "nobody keeps the module in use" not grep -q "in use" "$SCRATCH/out"
hold_as alice five -g "$gfn" fred
five=$(held_id five)
since=$(date +@%s.%6N)
check "the daemon is stopped" systemctl stop wtrackd
check "the journal says which session goes on" logged "$since" \
	"^1 session goes on without wtrackd: $five of uid $(id -u alice) .*wtrackctl stop"
check_fails "as the status of what does not run does" \
	"1 session goes on without wtrackd" systemctl --no-pager status wtrackd
systemctl start wtrackd
check "all sessions are ended" exits 0 wtrackctl stop --all
let_go five
check "then the module can be removed" modprobe -r kvm_wtrack
modprobe kvm_wtrack
check "the daemon sees it come back" wait_for prop_is true "$ROOT" Manager \
	ModuleLoaded
check "what is not there is not found" exits 3 wtrackctl stop "$one"
check "nor a user" exits 3 wtrackctl stop --user nobody-at-all
check "which sessions has to be said" exits 2 wtrackctl stop
check "in one way" exits 2 wtrackctl stop --all --user bob
check "by numbers" exits 2 wtrackctl stop fred
finish
