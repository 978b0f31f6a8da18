# SPDX-License-Identifier: GPL-2.0-or-later
# What pages show literally: each display has to have a comment in front of it
# that says what it is. Those that are KIND go, one each, to DIR/PAGE-NUMBER;
# without KIND, what has no known comment is printed.
BEGIN {
	known = "^(C (program|fragment|definition)|shell|wtrackd\\.conf|watch|" \
		"json|ndjson|polkit rule|drawing|text)$"
}
FNR == 1 {
	page = FILENAME
	sub(/.*\//, "", page)
	nr = 0
	mark = ""
}
/^\.Ed/ { out = "" }
out != "" {
	gsub(/\\\(ti/, "~")
	sub(/^\\&/, "")
	gsub(/\\-/, "-")
	gsub(/\\e/, "\\")
	print >out
}
/^\.Bd / {
	nr++
	if (KIND == "" && mark !~ known)
		print page ", display " nr ": no known kind: " mark
	if (KIND != "" && mark == KIND) {
		out = DIR "/" page "-" nr
		printf "" >out
	}
}
{ mark = /^\.\\" / ? substr($0, 5) : "" }
