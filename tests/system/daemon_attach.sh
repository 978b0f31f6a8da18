# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Who attaches a session: the client itself, where the kernel checks; for VMs that
# it may not trace a process for each, which may be made to wait, for nobody but
# who has asked.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

RULES=/etc/polkit-1/rules.d/10-wtrack-tests.rules
SETUID=$PLACE/bin/setuidvm
sysctl -q vm.unprivileged_userfaultfd=1
trap 'leave_attach' EXIT

leave_attach()
{
	local status=$?
	rm -f $RULES "$SETUID"
	forget_config
	(exit "$status")
	leave
}

# begin USER NAME PROGRAM ARGUMENT...: in the background, until it has said a line
begin()
{
	local user=$1 dir=$SCRATCH/$2 writer
	shift 2
	mkdir -p "$dir"
	mkfifo "$dir/in"
	as_user "$user" "$@" <"$dir/in" >"$dir/out" 2>&1 &
	echo $! >"$dir/pid"
	exec {writer}>"$dir/in"
	echo "$writer" >"$dir/fd"
	wait_for test -s "$dir/out" || sed 's/^/# /' "$dir/out"
}

# tell NAME LINE PATTERN: what it answers
tell()
{
	echo "$2" >&"$(cat "$SCRATCH/$1/fd")"
	wait_for grep -qE "$3" "$SCRATCH/$1/out"
}

end()
{
	local dir=$SCRATCH/$1 fd
	fd=$(cat "$dir/fd")
	exec {fd}>&-
	wait "$(cat "$dir/pid")"
}

opens()
{
	as_user "$1" timeout 60 hold "$2" </dev/null
}

attaches()
{
	systemctl list-units --no-legend --all 'wtrack-attach@*' | wc -l
}

attached_by_nobody()
{
	same 0 "$(attaches)"
}

rights_of()
{
	sed -n 's/^session [0-9]* [0-9]* //p' "$SCRATCH/$1/out"
}

# started: how many processes of wtrack-attach there have been
started()
{
	systemctl show -P NAccepted wtrack-attach.socket
}

start_bare_vm alice fred
pid=$(vm_pid fred)

before=$(started)
hold_as alice own "$pid"
check "alice has a session on her VM" same 1 "$(held own)"
check "which she has attached herself" same "$before" "$(started)"
check "it may do all but have vCPUs wait" same 0x1f "$(rights_of own)"
session=$ROOT/session/$(held_id own)
check "the daemon knows its VM" same "\"$(find_vm "$pid")\"" \
	"$(prop "$session" Session Vm)"
let_go own
hold_as carol other "$pid"
check "carol has one" same 1 "$(held other)"
check "which a process of its own has attached" same $((before + 1)) "$(started)"
check "it may see stores, and no memory" same 0x16 "$(rights_of other)"
let_go other
configure rights '[Policy]' 'OthersRights=memory change'
hold_as carol other2 "$pid"
check "or what the configuration says" same 0x11 "$(rights_of other2)"
let_go other2
forget_config
hold_as root root "$pid"
check "root's may do all" same 0x3f "$(rights_of root)"
let_go root
check_fails "bob is refused: it is not his VM" \
	"^error EACCES policy: uid $(id -u bob) does not own pid $pid" opens bob "$pid"
mkdir -p "${RULES%/*}"
cat >$RULES <<-RULE
	polkit.addRule(function(action, subject) {
		if (action.id == "org.wtrack1.open-session" && subject.user == "bob")
			return polkit.Result.YES;
	});
RULE
chmod 644 $RULES
check "unless polkit says that he may" wait_for opens bob "$pid"
rm $RULES
check "no session is left" wait_for nr_sessions_is 0
check "no process is left that attaches" wait_for attached_by_nobody
journalctl --sync
check "nor a line in the journal for each of them" same "" \
	"$(journalctl -b -q -o cat --grep 'Attaching a session')"

# The kernel's answer, whatever it is about, is that of pidfd_getfd(2).
for scope in 1 2; do
	sysctl -q kernel.yama.ptrace_scope=$scope
	check_fails "alice is refused with ptrace_scope=$scope" \
		"^error EACCES policy: the kernel does not let .* trace pid $pid" \
		opens alice "$pid"
	check "carol is not" opens carol "$pid"
done
sysctl -q kernel.yama.ptrace_scope=0
begin alice within unshare -U -r barevm 1
within=$(pgrep -u alice -n barevm)
check "a VMM in a user namespace of alice's is hers" wait_for opens alice "$within"
end within
coproc ROOTS { exec unshare -U -r setpriv --reuid=0 "$PLACE/bin/barevm" 1; }
read -r _ <&"${ROOTS[0]}"
check_fails "one of root's is not, whatever it calls itself" \
	"^error EACCES policy: uid $(id -u alice) does not own pid" \
	opens alice "$ROOTS_PID"
kill "$ROOTS_PID"
# Alice's by its real user id alone.
install -m 4755 "$PLACE/bin/barevm" "$SETUID"
begin alice setuid "$SETUID" 1
setuid=$(pgrep -n "${SETUID##*/}")
check_fails "one of a setuid program is not, whoever has started it" \
	"^error EACCES policy: the kernel does not let .* trace pid $setuid" \
	opens alice "$setuid"
end setuid
check "no session is left of those that were refused" wait_for nr_sessions_is 0

# A session counts from when it is handed over, with and without a VM.
start_vms alice 1
configure limits '[Limits]' UserSessions=3
begin alice loose unattached 4 "$vms_pid"
wait_for grep -q '^ready' "$SCRATCH/loose/out"
check "three sessions are handed over" same 3 \
	"$(grep -c '^session [0-9]*$' "$SCRATCH/loose/out")"
check "the fourth is one too many" grep -q \
	"^error org.wtrack1.Error.LimitExceeded limit: UserSessions" \
	"$SCRATCH/loose/out"
check "they are counted" nr_sessions_is 3
session=$ROOT/session/$(sed -n '1s/session //p' "$SCRATCH/loose/out")
check "as clients'" same '"client"' "$(prop "$session" Session Kind)"
check "on no VM yet" same '"/"' "$(prop "$session" Session Vm)"
check "wtrackctl tells whose they are, and that they are not attached" same \
	"[[\"restricted\"]] [\"alice\"] [null]" \
	"$(wtrackctl sessions --json=short | jq -r '.sessions |
		[map(.state), map(.client_user), map(.vm)] |
		map(unique | tojson) | join(" ")')"
systemctl kill -s KILL wtrackd
check "the next daemon counts them" wait_for nr_sessions_is 3
check "as alice's" same "$(id -u alice)" "$(prop "$session" Session ClientUid)"
check_fails "who has too many has too many still" "EDQUOT limit: UserSessions" \
	opens alice "$vms_pid"
check "a session may be attached after that" tell loose attach ^attached
check "the daemon knows its VM" wait_for prop_is "\"$(find_vm "$vms_pid")\"" \
	"$session" Session Vm
end loose
check "all of them are given back" wait_for nr_sessions_is 0
check "and their files" same "" "$(ls "$STATE")"
check "alice may have three again" hold_as alice again -n 3 "$vms_pid"
check "and has" same 3 "$(held again)"
let_go again
forget_config
end_vms

# A VMM that keeps its descriptor: pidfd_getfd(2) waits until execve(2) is over.
modprobe fuse
install -d -o bob "$SCRATCH/mount"
begin bob stuck stuckexec "$SCRATCH/mount" vm
read -r _ stuck _ <"$SCRATCH/stuck/out"
listed_pid()
{
	nr_vms_is 1 "$stuck"
}
check "bob has a VM" wait_for listed_pid
check "which carol may have" opens carol "$stuck"
check "it is within execve(2)" tell stuck go ^stuck
opens carol "$stuck" >"$SCRATCH/hangs" 2>&1 &
hangs=$!
one_attaches()
{
	same 1 "$(attaches)"
}
check "a process waits for its descriptor" wait_for one_attaches
check "alice is served meanwhile" opens alice "$pid"
check "by wtrackd" as_user alice timeout 10 busctl --timeout=8 call $BUS $ROOT \
	$BUS.Manager ListVMs
check "carol has a session on another VM" opens carol "$pid"
check "the process waits still" one_attaches
wait $hangs
check "carol is told what failed, on what, and why" grep -q \
	"^error ETIMEDOUT pid $stuck has kept the descriptor of its VM" \
	"$SCRATCH/hangs"
check "the process is ended" wait_for attached_by_nobody
check "its session as well" wait_for nr_sessions_is 0
for n in 1 2 3 4; do
	opens carol "$stuck" >"$SCRATCH/many$n" 2>&1 &
done
four_attach()
{
	same 4 "$(attaches)"
}
check "four may wait at a time" wait_for four_attach
check_fails "a fifth is refused" \
	"^error EBUSY uid $(id -u carol) has .* being attached already" \
	opens carol "$stuck"
check "for this VMM only" opens carol "$pid"
check "for this user only" opens alice "$pid"
end stuck
wait
check "all of it ends with the VMM" wait_for attached_by_nobody
check "no session is left" wait_for nr_sessions_is 0

# A VMM whose descriptor cannot be closed once one has it: it is a file that its user
# has put in the place of the VM, and a process that ends closes what it has.
begin bob keeps stuckexec "$SCRATCH/mount" close
read -r _ stuck _ <"$SCRATCH/keeps/out"
check "bob has another VM" wait_for listed_pid
check "which becomes a file" tell keeps go ^stuck
nr_ending()
{
	pgrep -cx wtrack-attach
}
for n in 1 2 3 4; do
	check_fails "carol is told that it is no VM ($n)" "^error ESRCH" \
		opens carol "$stuck"
done
check "the processes do not come to an end" same 4 "$(nr_ending)"
check "they have no session any more" wait_for nr_sessions_is 0
check_fails "they count" \
	"^error EBUSY uid $(id -u carol) has .* being attached already" \
	opens carol "$stuck"
check "for this VMM only" opens carol "$pid"
end keeps
nobody_ends()
{
	same 0 "$(nr_ending)"
}
check "they end with the VMM" wait_for nobody_ends

check "nobody but wtrackd can have it attach" same "wtrackd 600" \
	"$(stat -c '%U %a' /run/wtrack-attach.socket)"
systemctl stop wtrack-attach.socket
check_fails "without its socket carol is told what is missing" \
	"^error EBUSY wtrackd cannot ask wtrack-attach" opens carol "$pid"
check "alice needs it not" opens alice "$pid"
systemctl start wtrack-attach.socket
check "with it she is served again" opens carol "$pid"
finish
