#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: observed.sh table|record|check
#
# What was seen of each class of stores, on each kernel. The guest tests print
# lines "# class GROUP/NAME: RESULT"; tests/docs/observed/ has a file with them
# for each kernel and kind of paging, and docs/OBSERVED.md the table.
#
#	table	print the table
#	record	take over what the logs of the last runs have, write the table
#	check	print how table, record and logs differ
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

export LC_ALL=C
records=$TOP/tests/docs/observed
page=$TOP/docs/OBSERVED.md

# classes LOG: its lines, sorted, one for each class and result
classes()
{
	tr -d '\r' <"$1" | sed -nE 's/^# class (.*: .*)$/\1/p' | sort -u
}

# Logs at hand that have such lines, as "VERSION-CPU-PAGING FILE".
logs()
{
	local file name version cpu
	for file in "$BUILD"/run/host-*-{nested,shadow}/tap.log; do
		[ -e "$file" ] || continue
		grep -q "^# class " "$file" || continue
		version=$(sed -nE 's/^@@ host ([0-9]+\.[0-9]+).*/\1/p' "$file")
		name=${file%/tap.log}
		cpu=amd
		[[ $name != *-intel-* ]] || cpu=intel
		# A kernel of our own is no one that others have.
		[[ $name = */host-debug-* ]] ||
			echo "$version-$cpu-${name##*-} $file"
	done
}

# recorded NAME FILE -v there=1|0: what is recorded of classes that are in the
# log, or of those that are not: a run of some of the tests says nothing of them
recorded()
{
	touch "$records/$1"
	awk -F': ' "${@:3}" 'NR == FNR { seen[$1] = 1; next }
		($1 in seen) == there' <(classes "$2") "$records/$1" | sort -u
}

record()
{
	local name file new
	new=$(mktemp)
	mkdir -p "$records"
	while read -r name file; do
		sort -u <(classes "$file") \
			<(recorded "$name" "$file" -v there=0) >"$new"
		cp "$new" "$records/$name"
	done < <(logs)
	rm -f "$new"
}

table()
{
	(cd "$records" && awk -f "$TOP/tests/docs/observed.awk" -- *)
}

between_marks()
{
	sed '1,/^<!-- table: begin/d; /^<!-- table: end/,$d' "$page"
}

write_table()
{
	local new
	new=$(mktemp)
	{
		sed '/^<!-- table: begin/q' "$page"
		table
		sed -n '/^<!-- table: end/,$p' "$page"
	} >"$new"
	cp "$new" "$page"
	rm -f "$new"
}

check_logs()
{
	local name file
	while read -r name file; do
		diff -U0 --label "recorded for $name" --label "seen on $name" \
			<(recorded "$name" "$file" -v there=1) \
			<(classes "$file") || true
	done < <(logs)
}

case ${1:?usage: observed.sh table|record|check} in
table) table ;;
record)
	record
	write_table
	;;
check)
	diff <(between_marks) <(table) || true
	check_logs | head -n 40
	;;
*) die "table, record or check, not $1" ;;
esac
