# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Every part of the tests appends one line "part passed failed" to a file, and
# each failure as "failed NAME: REASON", with what was printed about it in lines
# "said TEXT" behind it; the last lines of make check are the parts, the failures,
# and the sum, so that the end of a log that was cut off names what failed. A
# fault that is known and not mended yet has a line "known NAME: REASON", and does
# not count as a failure; one that is seen no more has "mended NAME: REASON", so
# that somebody takes its mark away. Needs common.sh.

RESULTS=${RESULTS:-$BUILD/results}
export RESULTS

# result_note failed|said|known|mended TEXT: one line
result_note()
{
	mkdir -p "${RESULTS%/*}"
	printf '%s %s\n' "$1" "${2//$'\n'/ }" >>"$RESULTS"
}

# result_failure TEXT
result_failure()
{
	result_note failed "$1"
}

# result_add PART PASSED FAILED
result_add()
{
	mkdir -p "${RESULTS%/*}"
	printf '%s %d %d\n' "$1" "$2" "$3" >>"$RESULTS"
}

# result_total PART...: the sum; a part that left no line has failed. Parts
# that are not named do not count.
result_total()
{
	touch "$RESULTS"
	awk -v parts="$*" '
		$1 == "failed" {
			sub(/^failed /, "NOT OK  ")
			failures = failures $0 "\n"
			next
		}
		$1 == "said" {
			sub(/^said /, "        ")
			failures = failures $0 "\n"
			next
		}
		$1 == "known" {
			sub(/^known /, "KNOWN   ")
			known = known $0 "\n"
			nr_known++
			next
		}
		$1 == "mended" {
			sub(/^mended /, "MENDED  ")
			mended = mended $0 "\n"
			nr_mended++
			next
		}
		{ seen[$1] = 1; passed[$1] += $2; failed[$1] += $3 }
		END {
			n = split(parts, part, " ")
			for (i = 1; i <= n; i++) {
				name = part[i]
				if (!seen[name]) {
					printf "%-20s no result\n", name
					bad++
					continue
				}
				printf "%-20s %d passed, %d failed\n",
					name, passed[name], failed[name]
				good += passed[name]
				bad += failed[name]
			}
			printf "%s%s%s", known, mended, failures
			printf "%d passed, %d failed", good, bad
			if (nr_known)
				printf ", %d known to fail", nr_known
			if (nr_mended)
				printf ", %d known to fail and passed: " \
					"take their marks away", nr_mended
			printf "\n"
			exit bad > 0
		}' "$RESULTS"
}
