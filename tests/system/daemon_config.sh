# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Lines that make no sense are reported with file and line, and stop nothing. What
# cannot be read at all might set tighter limits: without it nothing is changed, and
# nothing is started. Who may have it read again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

trap 'rm -f $CONFIG/bad.conf; systemctl reset-failed wtrackd; \
	systemctl start wtrackd; forget_config; leave' EXIT
PROBLEM=3a1d0c9d119d4795a642c1dc4fdcc154

# problem LINE: where the journal has one of the newest drop-in
problem()
{
	journalctl --sync
	journalctl -q -b -o json "MESSAGE_ID=$PROBLEM" |
		jq -se --arg line "$1" --arg file "$CONFIG/bad.conf" \
			'any(.CONFIG_LINE == $line and .CONFIG_FILE == $file)'
}

pid=$(systemctl show -P MainPID wtrackd)
configure bad '[Limits]' UserSessions=lots Nonsense=1 '[Nowhere]' Key=1 \
	'[Limits' 'x' '[Policy]' 'Group=no such group'
for line in 2 3 5 6 9; do
	check "line $line is reported" problem "$line"
done
check "the daemon runs on" same "$pid" "$(systemctl show -P MainPID wtrackd)"
check "and answers" manager ListVMs

head -c 100000 /dev/urandom >$CONFIG/bad.conf
check "garbage is read" systemctl reload wtrackd
check "the daemon runs on" manager ListVMs
printf '[Limits]\nUserSess' >$CONFIG/bad.conf
check "what is cut off is read" systemctl reload wtrackd
check "and reported" problem 2
rm $CONFIG/bad.conf

problems()
{
	manager_prop Problems
}

# Nobody has more than the administrator wants, whatever becomes of the file.
start_vms alice 1
vms_process=$vms_pid
configure tight '[Limits]' UserPages=7
refused_as_before()
{
	! as_user alice hold -p 8 "$vms_process" </dev/null \
		>"$SCRATCH/hold" 2>&1 || return
	cat "$SCRATCH/hold"
	grep -q 'limit: UserPages' "$SCRATCH/hold"
}
check "a tight limit is in force" refused_as_before

# stays NAME: bad.conf is there, and cannot be read
stays()
{
	check_fails "$1 is not read again" "could not be read" manager Reload
	check "the tight limit stays" refused_as_before
	check "$1: it is told" wait_for problem 0
	check "in the properties" grep -q "bad.conf: cannot be read" <(problems)
	check "in the status" wait_for status_has "bad.conf: cannot be read"
	check "and by wtrackctl" doctor_has "bad.conf: cannot be read"
	rm -r $CONFIG/bad.conf
}

status_has()
{
	systemctl show -P StatusText wtrackd | grep -- "$1"
}

doctor_has()
{
	wtrackctl doctor >"$SCRATCH/doctor"
	cat "$SCRATCH/doctor"
	grep -q -- "$1" "$SCRATCH/doctor"
}

echo '[Limits]' >$CONFIG/bad.conf
chmod 000 $CONFIG/bad.conf
stays "a file that its user may not read"
mkfifo $CONFIG/bad.conf
stays "a fifo"
mkdir $CONFIG/bad.conf
stays "a folder"
ln -s bad.conf $CONFIG/bad.conf
stays "a link to itself"
ln -s /nowhere/at/all $CONFIG/bad.conf
stays "a link to nothing"
head -c 1100000 /dev/zero | tr '\0' '\n' >$CONFIG/bad.conf
stays "a file that is too long"
check "without it, it is read again" manager Reload
check "and there is no problem" same '0' "$(problems)"

# It is not started without it, either.
chmod 700 $CONFIG
check_fails "a folder that cannot be read stays unread" "could not be read" \
	manager Reload
check_fails "it does not start without the folder" . systemctl restart wtrackd
check "the status is that of a configuration" same 78 \
	"$(systemctl show -P ExecMainStatus wtrackd)"
check "it says so" status_has "$CONFIG: cannot be read"
check "it is not tried again and again" same failed \
	"$(systemctl show -P ActiveState wtrackd)"
check_fails "wtrackctl fails" . wtrackctl list
chmod 755 $CONFIG
systemctl reset-failed wtrackd
check "it starts with the folder" systemctl start wtrackd
check "the tight limit is in force" refused_as_before
rm $CONFIG/tight.conf
systemctl reload wtrackd
end_vms

cat >$CONFIG/bad.conf <<-EOF2
	[Limits]
	UserSessions=lots
EOF2
check "it starts with it" systemctl restart wtrackd
check "and says so" problem 2
check "and is ready" same running "$(systemctl show -P SubState wtrackd)"
rm $CONFIG/bad.conf

check "root may have it read again" manager Reload
check_fails "alice may not" "policy: the caller is not root" as_user alice \
	busctl call $BUS $ROOT $BUS.Manager Reload
finish
