# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The units: what they let their programs do, that they start when they are
# wanted, and that a daemon which hangs is replaced.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

CORES=/var/lib/wtrack-cores

daemon_pid()
{
	systemctl show -P MainPID wtrackd
}

# status FIELD: of the daemon's process
status()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$(daemon_pid)/status"
}

# The limit is in tenths.
exposed()
{
	systemd-analyze security --no-pager --threshold=20 "$1"
}

for unit in wtrackd.service wtrack-watch.service wtrack-attach@.service \
	wtrack-metrics.service; do
	check "$unit: exposure is at most 2.0" exposed $unit
	tail -n 1 "$SCRATCH/check" | sed 's/^/# /'
done
for unit in wtrackd.service wtrack-watch.service \
	wtrack-attach@.service wtrack-attach.socket \
	wtrack-metrics.service wtrack-metrics.timer; do
	systemd-analyze verify --man=no --recursive-errors=no \
		/usr/lib/systemd/system/$unit >"$SCRATCH/verify" 2>&1
	check "$unit: systemd has nothing to say" same "" \
		"$(cat "$SCRATCH/verify")"
done

check "it runs as its own user" same "$(id -u wtrackd)" \
	"$(status Uid | cut -f 1)"
check "nobody logs in as it" grep -q ':/usr/sbin/nologin$' \
	<<<"$(getent passwd wtrackd)"
check "CapEff: CAP_NET_ADMIN and CAP_SYS_PTRACE, the other one is some threads'" \
	same $((1 << 12 | 1 << 19)) $((16#$(status CapEff)))
for set in CapPrm CapBnd CapAmb; do
	check "$set: CAP_DAC_READ_SEARCH, CAP_NET_ADMIN and CAP_SYS_PTRACE" \
		same $((1 << 2 | 1 << 12 | 1 << 19)) $((16#$(status $set)))
done
check "it gets no new privileges" same 1 "$(status NoNewPrivs)"
check "its system calls are filtered" same 2 "$(status Seccomp)"
check "what it remembers is its own" same "wtrackd 700" \
	"$(stat -c '%U %a' /run/wtrackd/sessions)"

# Each says that it does not run, or does without it; doctor advises to start it.
looking_starts_nothing()
{
	local command
	for command in list sessions doctor version metrics "show 1" \
		"tracked 1" "stat --count=1" "top --batch --count=1"; do
		# shellcheck disable=SC2086 # words
		as_user bob timeout 20 wtrackctl $command >"$SCRATCH/out" 2>&1
		[ $? != 124 ] || echo "$command does not end"
		grep -q "does not run" "$SCRATCH/out" ||
			{ echo "$command does not say so" && cat "$SCRATCH/out"; }
		same inactive "$(systemctl is-active wtrackd)" || return
	done >"$SCRATCH/bad"
	same "" "$(cat "$SCRATCH/bad")"
}

check "it stops" systemctl stop wtrackd
check "who looks has nothing started" looking_starts_nothing
check "whoever calls has it started" as_user bob \
	busctl call $BUS $ROOT $BUS.Manager ListVMs
check "by its unit" systemctl is-active wtrackd

check_fails "bob cannot have its name" "Access denied" as_user bob \
	busctl call org.freedesktop.DBus / org.freedesktop.DBus RequestName su $BUS 0
check_fails "bob cannot set its properties" "Access denied|not allowed" as_user bob \
	busctl set-property $BUS $ROOT $BUS.Manager NVMs u 1
check "bob can read them" as_user bob \
	busctl get-property $BUS $ROOT $BUS.Manager NVMs
check "and look around" as_user bob busctl introspect $BUS $ROOT
check_fails "bob cannot reload it" "." as_user bob \
	systemctl --no-ask-password reload wtrackd

replaced()
{
	[ "$(daemon_pid)" != "$old" ] && [ "$(daemon_pid)" != 0 ] &&
		manager ListVMs >/dev/null
}
old=$(daemon_pid)
kill -STOP "$old"
# shellcheck disable=SC2034 # wait_for's
SOON=200
check "a daemon that hangs is replaced" wait_for replaced
check "by the watchdog" wait_for logged -10min "Watchdog timeout"
rm -f $CORES/wtrackd.*
finish
