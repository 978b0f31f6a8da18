# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Configuration that makes no sense is reported with file and line, and stops
# nothing. Who may have it read again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

trap 'forget_config; leave' EXIT
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
mkfifo $CONFIG/bad.conf
check "a fifo is read" timeout 20 systemctl reload wtrackd
rm $CONFIG/bad.conf
ln -s bad.conf $CONFIG/bad.conf
check "a link to itself is read" systemctl reload wtrackd
check "and reported" problem 0
rm $CONFIG/bad.conf

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
