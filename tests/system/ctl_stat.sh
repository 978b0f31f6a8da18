#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stat and metrics: rates of a guest that writes at a known rate, counters.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

# Of the emulated machine's clock, which is not even.
RATE=200

rates_are_those_of_the_guest()
{
	as_user alice wtrackctl stat fred --interval=2 --count=3 --json=short \
		>"$SCRATCH/stat" || return
	cat "$SCRATCH/stat"
	jq -es --argjson rate $RATE '
		(map(.type) == ["started", "sample", "sample", "sample", "ended"])
		and .[4].reason == "count" and .[4].count == 3
		and (map(select(.type == "sample")) | all(.nr_sessions == 1 and
			.pages == 1 and .rates.events > $rate / 3 and
			.rates.events < $rate * 3 and
			.rates.events == .sessions[0].rates.events))' \
		"$SCRATCH/stat" >"$SCRATCH/held"
}

# Sessions that see the same writes change nothing about what the guest does.
rates_do_not_depend_on_sessions()
{
	as_user alice wtrackctl stat fred --interval=2 --count=2 --json=short \
		>"$SCRATCH/stat" || return
	cat "$SCRATCH/stat"
	jq -es '.[2] | .nr_sessions == 3 and .pages == 1 and
		.writes_per_second > 0 and
		.vcpu_share / .writes_per_second * 1e9 > 4727 and
		.vcpu_share / .writes_per_second * 1e9 < 6000 and
		(.rates.events / .writes_per_second | . > 2.5 and . < 3.5)' \
		"$SCRATCH/stat" >"$SCRATCH/held"
	as_user alice wtrackctl top --interval=2 --json=short \
		>"$SCRATCH/top" || return
	cat "$SCRATCH/top"
	jq -es --argjson pid "$(vm_pid fred)" '.[0] | . as $all |
		.vms[] | select(.pid == $pid) | .sessions == 3 and .pages == 1 and
		.writes_per_second > 0 and
		.writes_per_second == $all.writes_per_second and
		(($all.sessions | map(.writes_per_second) | add) /
			.writes_per_second | . > 2.5 and . < 3.5)' \
		"$SCRATCH/top" >"$SCRATCH/held"
}

text_has_lines()
{
	as_user alice wtrackctl stat --interval=0.5 --count=2 >"$SCRATCH/stat"
	cat "$SCRATCH/stat"
	same 3 "$(wc -l <"$SCRATCH/stat")" &&
		grep -qE '^SESSIONS +PAGES +WRITES/s +VCPU% +UNREAD +EVENTS/s' "$SCRATCH/stat" &&
		grep -qE '^ +1 +1 +' "$SCRATCH/stat" &&
		same 2 "$(wtrackctl stat -i 0.1 -n 2 --no-legend | wc -l)"
}

# exit_code COMMAND...
exit_code()
{
	local code=0
	"$@" >"$SCRATCH/out" 2>"$SCRATCH/err" || code=$?
	echo $code
}

ends_as_told()
{
	same 6 "$(exit_code wtrackctl stat --interval=5 --timeout=1)" &&
		same 6 "$(exit_code wtrackctl stat -i 0.2 -n 50 --timeout=2)" &&
		same 0 "$(exit_code wtrackctl stat -i 0.2 --timeout=2)"
}

signal_is_a_good_end()
{
	local code=0
	wtrackctl stat --json=short --interval=0.2 >"$SCRATCH/stat" &
	wait_for grep -q sample "$SCRATCH/stat"
	kill -TERM $!
	wait $! || code=$?
	same 0 $code && jq -es 'last.type == "ended" and last.reason == "signal"' \
		"$SCRATCH/stat" >"$SCRATCH/held"
}

end_of_the_vm_is_the_end()
{
	local code=0
	wtrackctl stat ginger --json=short --interval=0.2 >"$SCRATCH/stat" &
	wait_for grep -q sample "$SCRATCH/stat"
	stop_vm ginger
	wait $! || code=$?
	cat "$SCRATCH/stat"
	same 0 $code && jq -es 'last.reason == "vm_gone"' "$SCRATCH/stat" \
		>"$SCRATCH/held"
}

metrics_are_text()
{
	wtrackctl metrics >"$SCRATCH/metrics"
	tail -n 5 "$SCRATCH/metrics"
	grep -qE '^wtrack_vms [0-9]+' "$SCRATCH/metrics" &&
		grep -qx 'wtrack_module_loaded 1' "$SCRATCH/metrics" &&
		grep -qE '^wtrack_session_events_total\{.*vm_name="fred"' \
			"$SCRATCH/metrics"
}

sessions_are_left_out()
{
	wtrackctl metrics --no-sessions --no-legend >"$SCRATCH/metrics"
	cat "$SCRATCH/metrics"
	not grep -E '^#|^wtrack_session_' "$SCRATCH/metrics" &&
		grep -qx 'wtrack_sessions{kind="client"} 1' "$SCRATCH/metrics"
}

metrics_are_json()
{
	wtrackctl metrics --json=short >"$SCRATCH/json"
	jq -e --argjson pid "$(vm_pid fred)" '.schema == 1 and
		any(.metrics[]; .name == "wtrack_session_events_total" and
			.type == "counter" and .labels.vm_name == "fred" and
			.labels.vm_pid == "\($pid)" and .value > 0)' \
		"$SCRATCH/json" >"$SCRATCH/held"
}

systemctl start wtrackd
start_bare_vm alice fred 1 $RATE
start_bare_vm alice ginger
as_user alice wtrackctl monitor fred --gfn "$(vm_gfn fred)" --json=short \
	>"$SCRATCH/monitor" &
wait_for grep -q '"write"' "$SCRATCH/monitor"
check "stat has the rate of the guest" rates_are_those_of_the_guest
check "stat prints a line for each interval" text_has_lines
check "stat ends by time with 6 before --count lines" ends_as_told
check "a signal is a good end" signal_is_a_good_end
check "the end of the VM is the end of stat" end_of_the_vm_is_the_end
check "metrics are text for Prometheus" metrics_are_text
check "those of sessions may be left out" sessions_are_left_out
check "metrics are JSON" metrics_are_json
for _ in 1 2; do
	as_user alice wtrackctl monitor fred --gfn "$(vm_gfn fred)" --json=short \
		>"$SCRATCH/monitor" &
	wait_for grep -q '"write"' "$SCRATCH/monitor"
done
check "three sessions make no rate of it three times" \
	rates_do_not_depend_on_sessions
pkill -u alice -x wtrackctl
wait
finish
