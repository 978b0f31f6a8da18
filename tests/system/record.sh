# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# wtrackctl record and report: a recording survives SIGKILL, and says what the
# guest wrote.
. "$(dirname "$0")/lib.sh"

file=$SCRATCH/file

record()
{
	rm -f "$file"
	wtrackctl record "$pid" --gfn "$page0" --gfn "$page1" -o "$file" \
		--json=short "$@" >"$SCRATCH/seen" 2>"$SCRATCH/errors" &
	record=$!
	wait_for grep -q '"type":"started"' "$SCRATCH/seen" ||
		cat "$SCRATCH/errors"
}

# save NAME COMMAND...: what it prints
save()
{
	local name=$1
	shift
	"$@" >"$SCRATCH/$name"
}

# report_of FILTER: true of the report's JSON
report_of()
{
	wtrackctl report "$file" --json=short | jq -e "$1"
}

# In the file, while it is being written.
has_writes()
{
	report_of ".writes >= $1"
}

start_bare_vm alice fred 2 0
pid=$(vm_pid fred)
page0=$(vm_gfn fred 0)
page1=$(vm_gfn fred 1)

record
vm_burst fred 300 >/dev/null
check "writes get into the file by themselves" wait_for has_writes 300
kill -KILL $record
wait $record 2>/dev/null
check "after SIGKILL each of them is there" \
	report_of '.writes == 300 and .complete == false and .losses.any == false'
check "nothing of it is damaged" report_of '.damage.bytes == 0'
check "by page" report_of '[.pages[].writes] == [150, 150]'
check "by length" report_of '.lengths["8"] == 300'
check "over time" report_of '(.timeline.writes | add) == 300'
check "it says of what it is" report_of \
	".recording.vm_pid == $pid and .pages_tracked == 2"
check "and by which kernel" same "$(uname -r)" \
	"$(wtrackctl report "$file" --json=short | jq -r .recording.kernel)"
check "nobody else may read it" same 600 "$(stat -c %a "$file")"

head -c -7 "$file" >"$SCRATCH/cut"
check "a part of a block is passed over" \
	save text wtrackctl report "$SCRATCH/cut"
check "and told of" grep -q '^Damage ' "$SCRATCH/text"

record --count=50
vm_burst fred 80 >/dev/null
check "--count ends it" wait $record
check "it is complete" report_of '.complete and .ended == "count" and .writes == 50'
check_fails "no file is overwritten" "is there already" \
	wtrackctl record "$pid" --gfn "$page0" -o "$file"

record --fail-on-loss --records=64
overflow fred $record
stop_vm fred
wait $record
check "losses are told by the exit code" same 7 $?
check "and by the report" report_of '.losses.overflows > 0 and .vm_gone'

check "a picture is drawn" wtrackctl report "$file" --svg "$SCRATCH/svg"
check "which is whole" same "</svg>" "$(tail -n 1 "$SCRATCH/svg")"
check "people get a report" save text wtrackctl report "$file"
check "with sums" grep -qE '^Writes +[0-9,]+ of [0-9,]+ bytes' "$SCRATCH/text"
check_fails "other files are refused" "not a recording" \
	wtrackctl report /etc/passwd
finish
