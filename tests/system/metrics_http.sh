# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The endpoint that Prometheus scrapes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-watch.sh"

TYPE='application/openmetrics-text; version=1.0.0; charset=utf-8'

# request METHOD PATH: status line, headers and body, without carriage returns
request()
{
	exec {web}<>/dev/tcp/127.0.0.1/9433
	printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' \
		"$1" "$2" >&"$web"
	timeout 30 cat <&"$web" | tr -d '\r'
	exec {web}>&-
}

status()
{
	request "$1" "$2" | sed -n '1s/^[^ ]* \([0-9]*\) .*/\1/p'
}

body()
{
	request "$1" "$2" | sed '1,/^$/d'
}

# What the daemon tells the user of the endpoint: of what stays the same from one
# scrape to the next.
by_bus()
{
	as_user wtrack-metrics busctl --json=short call org.wtrack1 \
		/org/wtrack1 org.wtrack1.Manager GetMetrics | jq -j '.data[0]'
}

stopped()
{
	[ "$(systemctl is-active wtrack-metrics.service)" = inactive ]
}

systemctl start wtrack-metrics.socket
systemctl stop wtrack-metrics.service
start_bare_vm alice fred 2
watch_file doorbells '[Match]' 'Name=fred' '[Watch]' "Gfn=$(vm_gfn fred)"
systemctl reload wtrackd
wait_for has_entries doorbells "$ARMED" 1 || bail "the watch does not begin"
vm_burst fred 20 >"$SCRATCH/burst"
wait_for has_entries doorbells "$WRITE" 10 || bail "writes are not logged"

check "nobody has asked: nothing runs" stopped
check "GET" same 200 "$(status GET /metrics)"
check "HEAD" same 200 "$(status HEAD /metrics)"
check "HEAD has no body" same "" "$(body HEAD /metrics)"
check "the type" grep -qixF "content-type: $TYPE" <(request GET /metrics)
check "other paths" same 404 "$(status GET /)"
check "other methods" same 405 "$(status POST /metrics)"
check "garbage" same 404 "$(status 'GET GET GET' /metrics)"
# Any user can ask the endpoint, so counters are as of the beginning of a period.
writes_are_counted()
{
	body GET /metrics >"$SCRATCH/text"
	grep -E '^wtrack_session_events_total\{.*vm_name="fred".*\} 10$' \
		"$SCRATCH/text"
}
check "writes are counted" wait_for writes_are_counted
check "the text is the daemon's" same "$(by_bus)" "$(body GET /metrics)"
check "it ends with the mark of its end" same "# EOF" "$(tail -n 1 "$SCRATCH/text")"
check "so is the watch" grep -qxF \
	'wtrack_watch_events_total{watch="doorbells"} 10' "$SCRATCH/text"
check "the service has no rights" same "0000000000000000" \
	"$(sed -n 's/^CapEff:\t//p' "/proc/$(systemctl show -P MainPID \
		wtrack-metrics.service)/status")"

forget_watches
systemctl stop wtrackd
check "without a daemon it says so" same 503 "$(status GET /metrics)"
check "and starts none" same inactive "$(systemctl is-active wtrackd)"
systemctl start wtrackd
check "until there is one" same 200 "$(status GET /metrics)"
finish
