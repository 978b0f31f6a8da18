# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Messages that are malformed, endless or too many: the daemon answers each of
# them, goes on, and others do not notice.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

start_vms alice 1
pid=$vms_pid
daemon=$(systemctl show -P MainPID wtrackd)

# bad ERROR METHOD [SIGNATURE ARGUMENT...]: by bob
bad()
{
	local error=$1
	shift
	check_fails "$* is refused: $error" "$error" as_user bob \
		busctl call $BUS $ROOT $BUS.Manager "$@"
}

long=$(printf '%0300d' 0)
bad "." Nothing
bad "." OpenSession
bad "." OpenSession s fred
bad "." OpenSession u 1
bad "given twice" OpenSession 'sa{sv}' fred 2 max_pages t 1 max_pages t 1
bad "given twice" OpenSession 'sa{sv}' fred 2 max_records u 4 max_records u 4
bad "named by" OpenSession 'sa{sv}' "" 0
bad "named by" OpenSession 'sa{sv}' "$long" 0
bad "unknown option" OpenSession 'sa{sv}' fred 1 nothing u 1
bad "has type t" OpenSession 'sa{sv}' fred 1 max_pages u 1
bad "has type u" OpenSession 'sa{sv}' fred 1 max_records s x
bad "has type b" OpenSession 'sa{sv}' fred 1 attach u 1
bad "given twice" OpenSession 'sa{sv}' fred 2 attach b true attach b true
bad "unknown option" OpenSession 'sa{sv}' fred 1 ranges 'a(tt)' 1 1 1
bad "no VM has" FindVM s 4711x
bad "no VM has" FindVM s 99999999999999999999
bad "no VM has" FindVM s +1
bad "no VM has" FindVM s 2
bad "no VM has" FindVM s $'\xc3\xbc\xe2\x82\xac'
check_fails "a session that is not there has no ranges" "." as_user bob \
	busctl call $BUS $ROOT/session/99 $BUS.Session ListRanges
check "nobody has a session by that" wait_for nr_sessions_is 0

# Many at a time, without waiting for answers.
flood()
{
	local i
	for i in $(seq 40); do
		as_user bob busctl call --expect-reply=no $BUS $ROOT \
			$BUS.Manager OpenSession 'sa{sv}' "$pid" 0 &
		as_user bob busctl call --expect-reply=no $BUS $ROOT \
			$BUS.Manager FindVM s "$i" &
	done
	wait
}
flood >/dev/null 2>&1 &
flood=$!
start=$SECONDS
check "alice is served meanwhile" hold_as alice one "$pid"
check "soon" test $((SECONDS - start)) -lt "$SOON"
wait $flood
let_go one
check "it is the same daemon" same "$daemon" \
	"$(systemctl show -P MainPID wtrackd)"
check "no session is left" wait_for nr_sessions_is 0
finish
