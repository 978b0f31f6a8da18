#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: walks.sh DOCUMENT
#
# In the part "Where to find things" of DOCUMENT, each step names a file and functions
# of it. Prints those that the file does not define, and says so if there are less
# than ten questions.
set -euo pipefail
cd "$(dirname "$0")/../.."

document=${1:?usage: walks.sh DOCUMENT}

part=$(sed -n '/^## Where to find things$/,/^## /p' "$document")

# "FILE FUNCTION" for each function of each step. Backquotes make every second field
# a name.
steps()
{
	awk -F'`' '/^[0-9]+\. `/ {
		for (i = 4; i <= NF; i += 2)
			if (sub(/\(\)$/, "", $i))
				print $2, $i
	}' <<<"$part"
}

# Is it the head of a function, which begins in the first column and is not a
# declaration? The arguments may go over several lines.
defines()
{
	awk -v name="$2" '
		$0 ~ "^([A-Za-z_].*[ *])?" name "\\(" { open = 1 }
		open && /;$/ { open = 0 }
		open && /^\{/ { found = 1; exit }
		END { exit !found }' "$1"
}

questions=$(grep -cE '^\*\*.*\?\*\*' <<<"$part") || true
[ "$questions" -ge 10 ] || echo "there are $questions questions"
count=0
while read -r file function; do
	count=$((count + 1))
	if [ ! -e "$file" ]; then
		echo "$file is not there"
	elif ! defines "$file" "$function"; then
		echo "$file does not define $function()"
	fi
done < <(steps)
[ "$count" -ge 20 ] || echo "there are $count functions"
