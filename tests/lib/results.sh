# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Every part of the tests appends one line "part passed failed" to a file, and
# each failure as "failed NAME: REASON"; the last lines of make check are the
# failures, the parts, and their sum. Needs common.sh.

RESULTS=${RESULTS:-$BUILD/results}
export RESULTS

# result_failure TEXT: one line
result_failure()
{
	mkdir -p "${RESULTS%/*}"
	printf 'failed %s\n' "${1//$'\n'/ }" >>"$RESULTS"
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
		{ seen[$1] = 1; passed[$1] += $2; failed[$1] += $3 }
		END {
			printf "%s", failures
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
			printf "%d passed, %d failed\n", good, bad
			exit bad > 0
		}' "$RESULTS"
}
