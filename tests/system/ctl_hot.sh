#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hot: finds the pages of a guest without knowing one, under the default limits of
# users, whatever the guest's size, and keeps to its bound whatever the guest does.
# shellcheck disable=SC2016 # variables of jq
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

# hot OPTION...: as the owner, kept as JSON
hot()
{
	as_user alice wtrackctl hot fred --json=short "$@" >"$SCRATCH/hot" \
		2>"$SCRATCH/err" && return
	cat "$SCRATCH/hot" "$SCRATCH/err"
	return 1
}

# holds FILTER: of what hot kept
holds()
{
	jq -e --argjson gfn "$((gfn))" "$@" "$SCRATCH/hot" >"$SCRATCH/held" && return
	cat "$SCRATCH/hot"
	return 1
}

# 400 stores a second to four pages in turn. Each is among the hottest, and the
# instruction that stores to them is the same. The emulated machine's clock is not even.
finds_the_pages()
{
	hot --full --timeout=6 --count=20 && holds '
		[.pages[] | select(.gfn >= $gfn and .gfn < $gfn + 4)] |
		length == 4 and all(.how == "counted" and
			.writes_per_second > 30 and .writes_per_second < 300 and
			.error > 0 and .error < .writes_per_second and
			.seen_seconds > 0.5) and
		(map(.rip) | unique | length) == 1 and .[0].rip != null' &&
		holds '.sampled.sampled == .sampled.pages and
			.sampled.written >= 4 and .sampled.error == 0'
}

# SessionPages is a fraction of the guest's memory: only what is armed at a time counts.
owner_may_do_it_to_a_vm_of_any_size()
{
	configure limits '[Limits]' SessionPages=900 UserPages=1000
	hot --timeout=3 && holds '.sampled.pages > 20000 and
		.sampled.sampled > 900 and .sampled.sampled < .sampled.pages'
}

# The guest stores to four pages far more often than the bound allows. What the
# session's counters say, what the command says of them, and what others see meanwhile.
keeps_to_its_bound()
{
	local bound=60 stat r
	wtrackctl stat fred --interval=1 --json=short >"$SCRATCH/stat" 2>&1 &
	stat=$!
	hot --gfn "$gfn+4" --cost=$bound --timeout=4
	r=$?
	kill $stat
	wait $stat
	[ $r = 0 ] || return
	holds --argjson bound $bound '.cost | .bound == $bound and
		.emulations > 0 and .emulations <= $bound * (.seconds + 1) and
		.armings <= $bound * (.seconds + 1) and
		.share < 0.01' || return
	cat "$SCRATCH/stat"
	# Of the records, those of the guard are no stores. A line may be of a little more
	# than its second.
	jq -es --argjson bound $bound '[.[] | select(.type == "sample") |
		(.rates.events - .rates.disarms - .rates.rearms) *
		.seconds / ([.seconds, 1] | max | ceil)] |
		length > 2 and max > 0 and max <= $bound' \
		"$SCRATCH/stat" >"$SCRATCH/held"
}

text_says_how_it_is_known()
{
	as_user alice wtrackctl hot fred --gfn "$gfn+4" --timeout=2 \
		>"$SCRATCH/hot" 2>"$SCRATCH/err"
	cat "$SCRATCH/hot" "$SCRATCH/err"
	grep -qE '^ *GFN +ADDRESS +WRITES/s +ERROR +HOW +SEEN +INSTRUCTION +GUARD$' \
		"$SCRATCH/hot" &&
		grep -qE "^ *$gfn +${gfn}000 +[0-9.k]+ +±[0-9.k]+ +counted " \
			"$SCRATCH/hot" &&
		grep -q '^Sampled: 4 of 4 pages' "$SCRATCH/hot" &&
		grep -q "of 5000 at most, and [0-9.]* % of a vCPU's" "$SCRATCH/hot"
}

# Nothing of it stays.
tracks_nothing_afterwards()
{
	same "No sessions." "$(wtrackctl sessions)"
}

trap 'forget_config; leave' EXIT
systemctl start wtrackd
start_bare_vm alice fred 4 400
gfn=$(vm_gfn fred)
check "the pages that the guest writes to are found and counted" finds_the_pages
check "text says how each rate is known, and what it took" text_says_how_it_is_known
check "an owner may do it to a VM that is larger than a session" \
	owner_may_do_it_to_a_vm_of_any_size
forget_config
vm_rate fred 2000 >/dev/null
check "the bound on emulated stores is kept" keeps_to_its_bound
check "nothing is tracked afterwards" wait_for tracks_nothing_afterwards
check_fails "it is not for strangers" "VM|may|policy|refused" \
	as_user bob wtrackctl hot fred --timeout=1
finish
