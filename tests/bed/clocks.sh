# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# No test may depend on how busy this machine is: what runs on it has no limit in
# time, and emulated hosts have a clock that counts instructions. Sourced by
# run.sh.

# What runs in emulated hosts, and what starts them.
IN_A_HOST='^tests/(guest|system|boot|packages/host)/|^tests/host/init$|^examples/demo/'
STARTS_A_HOST='^tests/(system/host|boot)/[a-z]*\.sh$|^examples/demo/demo\.sh$'

TIME_LIMITS='(^|[^-[:alnum:]_.])timeout +("?\$|-|[0-9])'
TIME_LIMITS+='|\$?SECONDS[^"]* -(lt|le|gt|ge) |-(lt|le|gt|ge) [^"]*SECONDS'
TIME_LIMITS+='|(^|[^[:alnum:]_])alarm\([1-9]|assert_in_range\(.*now_(ms|usec|ns)'
TIME_LIMITS+='|\.join\([0-9]|wait_for\([^)]*\)?, *[0-9]|[(, ]timeout=[0-9]'
TIME_LIMITS+='|assertLess.*(monotonic|time)\(\)'

on_this_machine()
{
	{
		git ls-files tests examples/demo .ci | grep -vE "$IN_A_HOST"
		git ls-files tests examples/demo | grep -E "$STARTS_A_HOST"
	} | grep -v '^tests/bed/'
}

# time_limits FILE...
time_limits()
{
	grep -nHE "$TIME_LIMITS" "$@" || true
}

no_time_limits()
{
	local files
	cd "$TOP" || return
	mapfile -t files < <(on_this_machine)
	[ ${#files[@]} -gt 100 ] || echo "only ${#files[@]} files"
	time_limits "${files[@]}"
}

# notices LINE
notices()
{
	printf '%s\n' "$1" >"$WORK/line"
	[ -n "$(time_limits "$WORK/line")" ] || echo "not noticed"
}

# Whoever starts QEMU for a host says what its clock is, and what a hang is.
hosts_clocks()
{
	local file
	cd "$TOP" || return
	on_this_machine | xargs grep -lE '"?qemu-system-x86_64"? *("\$|\\$)' |
		while read -r file; do
			grep -q -- '-icount' "$file" && grep -q '/limited"' "$file" ||
				echo "$file"
		done
}

check_clocks()
{
	local line
	check "nothing on this machine has a limit in time" no_time_limits
	check "hosts' clocks count instructions" hosts_clocks
	for line in 'timeout 20 "$program"' 'timeout -k 5 "$limit" x' \
		'test $((SECONDS - start)) -lt 5' '	alarm(60);' \
		'        waiter.join(10)' 'subprocess.run(x, timeout=5)' \
		'        await asyncio.wait_for(done.wait(), 10)' \
		'	assert_in_range(now_ms() - start, 19, 20000);'; do
		check "one is noticed: ${line#"${line%%[![:space:]]*}"}" \
			notices "$line"
	done
}
