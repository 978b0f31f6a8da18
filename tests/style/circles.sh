#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: circles.sh DIRECTORY [A:B]...
#
# Prints the files that call each other in a circle, of the object files in
# DIRECTORY, and nothing if there is no circle. A and B count as one file. Variables
# do not count.
set -euo pipefail

directory=${1:?usage: circles.sh DIRECTORY [A:B]...}
shift

# "A B" for each A that calls a function of B.
calls()
{
	nm -o "$directory"/*.o | awk -v pairs="$*" '
		BEGIN {
			n = split(pairs, allowed, " ")
			for (i = 1; i <= n; i++) {
				split(allowed[i], pair, ":")
				one_idea[pair[2]] = pair[1]
			}
		}
		{
			file = $1
			sub(/\.o:.*/, "", file)
			sub(/.*\//, "", file)
			if (file ~ /\.mod$/)
				next
			if (file in one_idea)
				file = one_idea[file]
		}
		$2 == "T" || $3 == "T" { home[$NF] = file }
		$(NF - 1) == "U" { uses[++calls] = file " " $NF }
		END {
			for (i = 1; i <= calls; i++) {
				split(uses[i], use, " ")
				to = home[use[2]]
				if (to != "" && to != use[1])
					print use[1], to
			}
		}' | sort -u
}

found=$(calls "$@")
[ -n "$found" ] || { echo "no object in $directory calls another one"; exit 1; }
# It fails if there is a circle, which is what the caller wants to read.
{ tsort <<<"$found" || true; } 2>&1 >/dev/null | sed 's/^tsort: //'
