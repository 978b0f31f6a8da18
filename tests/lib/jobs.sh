# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Targets of make side by side, as an emulated host keeps one processor busy.
# Sourced, after common.sh.

declare -A job_of=()

# job_run LOG JOB: in a process group of its own: its output is shown at its end.
job_run()
{
	local log=$1 job=$2 start=$SECONDS
	eval "set -- $job"
	make -C "$TOP" --no-print-directory "$@" </dev/null >"$log" 2>&1 ||
		true
	{
		flock 7
		say CHECK "$job (ended after $((SECONDS - start)) s):"
		cat "$log"
	} 7>>"$BUILD/log/jobs.lock"
}

job_start()
{
	local log
	log="$BUILD/log/$(tr -c '[:alnum:]\n' - <<<"$1")"
	say CHECK "$1"
	set -m
	job_run "$log" "$1" &
	set +m
	job_of[$!]=$1
}

job_wait()
{
	local pid
	wait -n -p pid "${!job_of[@]}" || true
	unset "job_of[$pid]"
}

jobs_kill()
{
	local pid
	for pid in "${!job_of[@]}"; do
		kill -- "-$pid" 2>/dev/null
	done
}

# jobs_run NR: the jobs on standard input, words of a shell in a line each, NR
# at a time. A target that fails has left its result.
jobs_run()
{
	local job
	mkdir -p "$BUILD/log"
	trap jobs_kill EXIT
	while IFS= read -r job; do
		[ ${#job_of[@]} -lt "$1" ] || job_wait
		job_start "$job"
	done
	while [ ${#job_of[@]} -gt 0 ]; do
		job_wait
	done
	trap - EXIT
}
