# SPDX-License-Identifier: GPL-2.0-or-later
# Of a header: "struct field" for each field of its structs, without PREFIX,
# and "#define NAME" for each number. Fields of an inner struct go by its name.
/^struct [a-z_]+ \{$/ {
	name = $2
	sub("^" PREFIX, "", name)
	depth = 1
	next
}
depth && /\{$/ { depth++; next }
depth && /^\t*\}/ {
	for (i = 1; i <= held; i++)
		print name, substr($2, 1, length($2) - 1) "." field[i]
	held = 0
	depth--
}
depth && /^\t+[a-z_0-9]+( [a-z_0-9]+)* \**[a-z_0-9]+(\[.*\])?;$/ {
	sub(/[[;].*/, "", $NF)
	sub(/^\*+/, "", $NF)
	if (depth == 3)
		field[++held] = $NF
	else
		print name, $NF
}
/^#define [A-Z]+_[A-Z0-9_]+[ \t]/ { print "#define", $2 }
