# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The timer that writes metrics, and the node_exporter that offers them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"
. "$(dirname "$0")/lib-watch.sh"

DIR=/var/lib/prometheus/node-exporter
PROM=$DIR/wtrack.prom
TIMER=wtrack-metrics.timer
SERVICE=wtrack-metrics.service
since=$(date +@%s.%6N)
# More than the period of the timer.
# shellcheck disable=SC2034 # wait_for's
SOON=40

end()
{
	local status=$?
	systemctl stop $TIMER prometheus-node-exporter
	systemctl start wtrackd
	forget_watches
	forget_config
	rm -rf $DIR /run/wtrack-victim
	mkdir -p $DIR
	(exit $status)
	leave
}
trap end EXIT

# events PATTERN: of the session on fred, in the file
events()
{
	grep -E "^wtrack_session_events_total\{.*vm_name=\"fred\".*\} $1\$" $PROM
}

# stays COMMAND...: what it does leaves the file alone
stays()
{
	local before status=0
	before=$(stat -c '%i %y' $PROM)
	"$@" || status=1
	same "$before" "$(stat -c '%i %y' $PROM)" && [ $status = 0 ]
}

# Once it has failed it is no failure of the case; nor is how often it did.
fails()
{
	local status=0
	systemctl start $SERVICE || status=1
	systemctl reset-failed $SERVICE
	[ $status = 1 ]
}

# said PATTERN: by the service, since the case began
said()
{
	journalctl --sync
	journalctl -q -o cat --since "$since" -u $SERVICE |
		grep -E -- "$1"
}

scrape()
{
	curl -sS http://127.0.0.1:9100/metrics >"$SCRATCH/scrape" &&
		grep -E "$1" "$SCRATCH/scrape"
}

start_bare_vm alice fred
start_bare_vm alice odd 1 0 -name 'a "b" \ {c}'
pid=$(vm_pid fred)
gfn=$(vm_gfn fred)
check "it is not enabled unasked" not systemctl -q is-enabled $TIMER
check "nothing is written" test ! -e $PROM
hold_as alice one -g "$gfn" "$pid"
hold_as alice two -g "$gfn" "$pid"
watch_file bells '[Match]' 'Name=fred' '[Watch]' "Gfn=$gfn" RateLimitBurst=0
reload_watches
wait_for has_entries bells "$ARMED" 1 || bail "the watch does not begin"
vm_burst fred 10 >/dev/null

# written COMMAND...: is the file made, which systemd cannot say of a condition?
written()
{
	"$@" && test -e $PROM
}

check "the service writes the file" written systemctl start $SERVICE ||
	bail "$(systemctl status --no-pager -n 20 $SERVICE)"
check "with what was counted" events 10
check "which three sessions have seen" same 3 "$(events 10 | wc -l)"
check "and which are the guest's ten writes all the same" \
	grep -E '^wtrack_vm_writes_total\{.*vm_name="fred".*\} 10$' $PROM
check "to one page" grep -E '^wtrack_vm_pages\{.*vm_name="fred".*\} 1$' $PROM
check "all may read it" same "root:root 644" "$(stat -c %U:%G\ %a $PROM)"
check "nothing else is left there" same wtrack.prom "$(ls -A $DIR)"
vm_burst fred 10 >/dev/null
check "the timer is started" systemctl start $TIMER
check "it has it written again" wait_for events 20
check "with watches" wait_for grep -qxF \
	'wtrack_watch_events_total{watch="bells"} 20' $PROM
check "users are numbers" grep -q "uid=\"$(id -u alice)\"" $PROM
check "an odd name is escaped" grep -qF 'vm_name="a \"b\" \\ {c}"' $PROM
check "the journal is not told of each time" not said '^(Starting|Finished)'

systemctl start prometheus-node-exporter
check "node_exporter offers it" wait_for scrape \
	'^wtrack_session_events_total\{.*vm_name="fred".*\} 20$'
check "with the odd name" grep -qF 'vm_name="a \"b\" \\ {c}"' "$SCRATCH/scrape"
check "it finds no mistake" grep -qx 'node_textfile_scrape_error 0' \
	"$SCRATCH/scrape"
check "it knows what each metric is" grep -qx \
	'# TYPE wtrack_session_events_total counter' "$SCRATCH/scrape"
check "and has all of them" diff <(grep -o '^wtrack_[a-z_]*' $PROM | sort -u) \
	<(grep -o '^wtrack_[a-z_]*' "$SCRATCH/scrape" | sort -u)
check "it tells how old the file is" grep -q \
	"^node_textfile_mtime_seconds{file=\"$PROM\"}" "$SCRATCH/scrape"
systemctl stop prometheus-node-exporter $TIMER

echo victim >/run/wtrack-victim
ln -sf /run/wtrack-victim $PROM
check "a symbolic link is refused" fails
check "which the journal says" said "$PROM: a symbolic link is on the way"
check "where it leads nothing changes" same victim "$(cat /run/wtrack-victim)"
check "it stays as well" test -L $PROM
rm $PROM
mkdir $PROM
check "a directory is refused" fails
check "and stays" test -d $PROM
rmdir $PROM
mv $DIR $DIR.there
ln -s node-exporter.there $DIR
check "a directory that is a link is refused" fails
check "nothing is written there" same "" "$(ls -A $DIR.there)"
rm $DIR
check "without the directory there is nothing to do" systemctl start $SERVICE
check "and none is made" test ! -e $DIR
mv $DIR.there $DIR
check "it is written as before" systemctl start $SERVICE
check "to the last event" events 20

check "who may not write there is told so" same 4 \
	"$(as_user bob wtrackctl metrics -o $DIR/bob.prom >"$SCRATCH/out" 2>&1
		echo $?)"
check "and why" grep -q "$DIR/bob.prom: Permission denied" "$SCRATCH/out"
check "elsewhere bob may" as_user bob wtrackctl metrics -o /home/bob/a.prom
check "it is his" same "bob 644" "$(stat -c %U\ %a /home/bob/a.prom)"
rm /home/bob/a.prom

configure old '[Metrics]' 'PerSession=no' '[Limits]' 'UserSessions=7'
check "an old section of the configuration is a warning" \
	eval 'manager_prop Problems | grep -q "section \[Metrics\] has no effect"'
check "and nothing else" same 1 "$(manager_prop Problems | cut -d' ' -f1)"
check "a session is counted for all that" events 20
forget_config

systemctl start $TIMER
systemctl stop wtrackd
check "the timer ends with the daemon" same inactive "$(systemctl is-active $TIMER)"
check "without the daemon the file stays" stays fails
check "and none is started" same inactive "$(systemctl is-active wtrackd)"
systemctl start wtrackd
let_go one
let_go two
finish
