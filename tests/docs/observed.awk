# SPDX-License-Identifier: GPL-2.0-or-later
# Records "GROUP/NAME: RESULT", one file for each kernel, to a Markdown table.
# What has the same results everywhere shares a row with its group.

BEGIN {
	word["exact"] = "exact"
	word["changed unemulated"] = "page changed"
	word["changed page-walk"] = "page changed (page walk)"
	word["changed event"] = "page changed (event)"
	word["changed operand"] = "page changed (operand)"
	word["changed split-lock"] = "page changed (split lock)"
	word["changed unreported"] = "page changed (unreported)"
	word["changed nested"] = "page changed (guest of the guest)"
	word["unseen"] = "not seen"
	word["no-store"] = "nothing stored"
	word["absent"] = "not tried"
}

FNR == 1 {
	column[++columns] = FILENAME
	sub(/-amd-/, ", AMD, ", column[columns])
	sub(/-intel-/, ", Intel, ", column[columns])
}

{
	at = match($0, /: [a-z -]+$/)
	name = substr($0, 1, at - 1)
	result = substr($0, at + 2)
	if (!(result in word)) {
		print "unknown result: " $0 >"/dev/stderr"
		exit 1
	}
	if (!(name in known)) {
		known[name] = 1
		names[++nr_names] = name
	}
	cell[name, columns] = cell[name, columns] \
		(cell[name, columns] ? ", " : "") word[result]
}

function row_of(name,    c, row)
{
	for (c = 1; c <= columns; c++)
		row = row " | " ((name, c) in cell ? cell[name, c] : "not tried")
	return row
}

END {
	printf "| stores"
	for (c = 1; c <= columns; c++)
		printf " | %s", column[c]
	printf " |\n|---"
	for (c = 1; c <= columns; c++)
		printf "|---"
	print "|"
	for (i = 1; i <= nr_names; i++) {
		slash = index(names[i], "/")
		group = substr(names[i], 1, slash - 1)
		short = substr(names[i], slash + 1)
		gsub(/_/, " ", short)
		key = group SUBSEP row_of(names[i])
		if (!(key in members)) {
			keys[++nr_keys] = key
			members[key] = short
		} else {
			members[key] = members[key] ", " short
		}
	}
	for (i = 1; i <= nr_keys; i++) {
		split(keys[i], part, SUBSEP)
		printf "| **%s**: %s%s |\n", part[1], members[keys[i]], part[2]
	}
}
