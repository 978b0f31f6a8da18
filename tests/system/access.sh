# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Which users get a session on which VM: those whom the kernel lets trace it, the group,
# root; all others ask polkit, which says no, yes, or wants a password.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

RULES=/etc/polkit-1/rules.d/10-wtrack-tests.rules
trap 'rm -f $RULES /tmp/asked; sysctl -q kernel.yama.ptrace_scope=0; leave' EXIT

# opens USER VM: one session, held for a moment
opens()
{
	as_user "$1" hold "$2" </dev/null
}

# refused USER VM PATTERN: the error and which rule it was
refused()
{
	check_fails "$1 is refused $2: $3" "^error EACCES $3" opens "$1" "$2"
}

# polkit ACTION VM ANSWER: what polkit says to bob from now on
polkit()
{
	mkdir -p "${RULES%/*}"
	cat >"$RULES" <<-RULE
	polkit.addRule(function(action, subject) {
		if (action.id == "org.wtrack1.$1" && subject.user == "bob" &&
		    ("$2" == "" || action.lookup("vm.name") == "$2"))
			return polkit.Result.$3;
	});
	RULE
	chmod 644 "$RULES"
}

start_bare_vm alice fred
start_bare_vm alice hugo
pid=$(vm_pid fred)

for user in alice bob carol; do
	check_fails "$user cannot open the device" "Permission denied" \
		as_user "$user" sh -c ': </dev/kvm-wtrack'
done
check "a member of its group can" setpriv --reuid=bob --regid=bob \
	--groups=kvm-wtrack sh -c ': </dev/kvm-wtrack'

check "alice has a session on her VM" opens alice fred
check "carol has one, by her group" opens carol fred
check "root has one" opens root fred
refused bob fred "policy: uid $(id -u bob) does not own pid $pid \(uid $(id -u alice)\)"
check "who refused is counted" grep -qE \
	'^wtrack_daemon_refusals_total\{rule="polkit"\} [1-9]' \
	<<<"$(wtrackctl metrics)"

sysctl -q kernel.yama.ptrace_scope=1
refused alice fred "policy: the kernel does not let pid [0-9]+ trace pid $pid,"
check "who started the VMM is allowed to" as_user alice bash -c \
	'barevm 1 < <(sleep 60) >/dev/null & sleep 1; exec hold $!' </dev/null
sysctl -q kernel.yama.ptrace_scope=0
check "alice has a session again" opens alice fred

coproc PRIVILEGED { exec setpriv --reuid=alice --regid=alice --init-groups \
	--inh-caps=+net_admin --ambient-caps=+net_admin \
	"$PLACE/bin/barevm" 1; }
read -r _ <&"${PRIVILEGED[0]}"
refused alice "$PRIVILEGED_PID" "policy: the kernel does not let pid [0-9]+ trace pid $PRIVILEGED_PID,"
kill "$PRIVILEGED_PID"
# shellcheck disable=SC2016 # the other shell's
check "those of her own user namespace are hers" as_user alice bash -c \
	'unshare -U -r barevm 1 < <(sleep 60) >/dev/null & sleep 1; exec hold $!' \
	</dev/null

polkit open-session fred YES
check "polkit says yes to bob" wait_for opens bob fred
refused bob hugo "policy: "
polkit open-session fred NO
check "polkit says no to bob" wait_for not opens bob fred
check "carol is not asked about" opens carol fred

hold_as alice one -g "$(vm_gfn fred)" "$pid"
session=$ROOT/session/$(held_id one)
ranges()
{
	as_user "$1" busctl call $BUS "$session" $BUS.Session ListRanges
}
check "alice sees her session's pages" ranges alice
check "carol sees them" ranges carol
check_fails "bob does not" "org.wtrack1.inspect" ranges bob
polkit inspect "" YES
check "unless polkit says yes" wait_for ranges bob

# While polkit thinks about it, all of the VM goes.
cat >"$RULES" <<-RULE
	polkit.addRule(function(action, subject) {
		if (action.id == "org.wtrack1.inspect" && subject.user == "bob") {
			polkit.spawn(["/bin/sh", "-c",
				"touch /tmp/asked; sleep 3"]);
			return polkit.Result.NO;
		}
	});
RULE
daemon=$(systemctl show -P MainPID wtrackd)
stop_vm fred
vm_is_gone()
{
	same true "$(prop "$ROOT/vm/${pid}_$fd" VM Gone)"
}
fd=$(prop "$session" Session Vm)
fd=${fd##*_}
fd=${fd%\"}
check "the VM is gone, its session is not" wait_for vm_is_gone
before=$(date +@%s.%6N)
ranges bob >"$SCRATCH/late" 2>&1 &
late=$!
asked=$(systemctl show -P MainPID polkit)
wait_for test -e "/proc/$asked/root/tmp/asked" || bail "polkit was not asked"
let_go one
check "others are served meanwhile" opens alice hugo
check "it is still thinking" kill -0 $late
wait $late
check "bob is refused when it was closed meanwhile" \
	grep -q org.wtrack1.inspect "$SCRATCH/late"
check "it is the same daemon" same "$daemon" \
	"$(systemctl show -P MainPID wtrackd)"
journalctl --sync
check "and nothing is said of a VM that is no more" same "" \
	"$(journalctl -q --since "$before" -o json -u wtrackd \
		WTRACK_RULE=polkit | jq -r .WTRACK_VM_PID)"

reload()
{
	as_user "$1" busctl call $BUS $ROOT $BUS.Manager Reload
}
check_fails "carol may not have it read its configuration" \
	"org.wtrack1.manage" reload carol
polkit manage "" YES
check "bob may when polkit says yes" wait_for reload bob
finish
