# SPDX-License-Identifier: GPL-2.0-or-later
# Reads a header: what it declares, in its order, each with its comment. Entry
# number i has KIND[i] (comment, constant, struct, function), NAME[i], DOC[i]
# (the comment's lines), CODE[i], and GROUP[i]: how many constants share the
# comment. LEAD is the header's own comment.

# The comment's lines without what makes them one.
function comment_line(s)
{
	sub(/^[ \t]*\/\*\*?/, "", s)
	sub(/[ \t]*\*\/.*$/, "", s)
	sub(/^[ \t]+\*/, "", s)
	sub(/^ /, "", s)
	return s
}

function entry(kind, name, doc, code)
{
	NR_ENTRIES++
	KIND[NR_ENTRIES] = kind
	NAME[NR_ENTRIES] = name
	DOC[NR_ENTRIES] = doc
	CODE[NR_ENTRIES] = code
	GROUP[NR_ENTRIES] = 1
}

# A comment that belongs to nothing that follows it.
function give_up_comment()
{
	if (pending != "" && LEAD == "")
		LEAD = pending
	else if (pending != "")
		entry("comment", "", pending, "")
	pending = ""
}

function read_comment(s, file,    all, first)
{
	first = comment_line(s)
	all = first
	while (s !~ /\*\// && (getline s < file) > 0)
		if (comment_line(s) != "" || s !~ /\*\//)
			all = all "\n" comment_line(s)
	sub(/^\n+/, "", all)
	if (all ~ /^SPDX-/)
		return
	give_up_comment()
	pending = all
	group = 0
	# One with headings is about more than what follows it.
	if (all ~ /\n---/)
		give_up_comment()
}

# To the line that has END.
function read_code(s, file, end,    all)
{
	all = s
	while (s !~ end && (getline s < file) > 0)
		all = all "\n" s
	return all
}

# A constant, with the comment in front of it or behind it. One without goes
# with the constants that the comment in front of them is for.
function read_constant(s, name,    doc)
{
	if (name ~ /^_/ || name ~ /_(UNSPEC|MAX|H)$/)
		return
	if (match(s, /\/\*.*\*\//)) {
		doc = substr(s, RSTART + 3, RLENGTH - 6)
		entry("constant", name, doc, s)
		group = 0
		return
	}
	if (pending == "" && group && KIND[NR_ENTRIES] == "constant") {
		GROUP[group]++
		entry("constant", name, "", s)
		return
	}
	entry("constant", name, pending, s)
	group = NR_ENTRIES
	pending = ""
}

function read_function(s, file,    name)
{
	s = read_code(s, file, ";")
	gsub(/[ \t\n]+/, " ", s)
	match(s, /[a-z_0-9]+\(/)
	name = substr(s, RSTART, RLENGTH - 1)
	entry("function", name, pending, s)
	DECLARED[name] = 1
	pending = ""
}

function read_declaration(s, file,    word)
{
	split(s, word, /[ \t(]+/)
	if (s ~ /^[ \t]*\/\*/)
		read_comment(s, file)
	else if (s ~ /^#define [A-Z_0-9]+[ \t]+[^ \t]/)
		read_constant(s, word[2])
	else if (s ~ /^\t_?_?[A-Z_]+,/)
		read_constant(s, substr(word[2], 1, length(word[2]) - 1))
	else if (s ~ /^struct [a-z_]+ \{/) {
		s = read_code(s, file, "^};")
		entry("struct", word[2], pending, s)
		pending = ""
	} else if (s ~ /^struct [a-z_]+;/)
		pending = ""
	else if (s ~ /^[a-z].*[a-z_0-9]+\(/ && s !~ /^extern/)
		read_function(s, file)
	else if (s == "") {
		give_up_comment()
		group = 0
	} else if (s ~ /^#ifndef/)
		give_up_comment()
}

function read_header(file,    s)
{
	if (file == HEADER)
		return
	HEADER = file
	NR_ENTRIES = 0
	LEAD = pending = ""
	group = 0
	while ((getline s < file) > 0)
		read_declaration(s, file)
	close(file)
	if (!NR_ENTRIES && LEAD == "") {
		print "cannot read " file >"/dev/stderr"
		exit 1
	}
}
