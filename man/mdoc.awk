# SPDX-License-Identifier: GPL-2.0-or-later
# Comments of a header as mdoc(7): its names become macros, its tables lists,
# its code displays. What a comment may look like:
#
#	text, paragraphs between empty lines
#
#	A heading
#	---------
#
#		TERM	a table: the first word is in capitals; its text goes
#			on in lines with more tabs
#		-EFOO, -EBAR text
#
#		- a list
#
#		anything else that begins with a tab is shown as it is
#
# text(words) and block(lines, from, to) are for others.

BEGIN {
	capital = "^[A-Z][A-Z0-9]*_[A-Z0-9_]*[*]?$"
	constant = "^(NULL|E?POLL[A-Z]+|INFO|ATTACH|STATUS|RESTRICT|RING|ADD|REMOVE|QUERY|RESYNC|FENCE)$"
	errno = "^-?E[A-Z0-9][A-Z0-9]+$"
}

function flush_line()
{
	if (line != "")
		print line
	line = ""
}

# Roff would take these for its own.
function escape(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/~/, "\\(ti", s)
	if (s ~ /^[.']/)
		s = "\\&" s
	return s
}

function plain(word)
{
	word = escape(word)
	if (length(line) + length(word) > 70)
		flush_line()
	line = line (line == "" ? "" : " ") word
	# A sentence begins in a new line.
	if (word ~ /[.?!]["')]*$/)
		flush_line()
}

# What is before and behind a name goes into PRE and POST.
function strip(word)
{
	PRE = POST = ""
	while (word ~ /^[("[]/) {
		PRE = PRE (PRE == "" ? "" : " ") substr(word, 1, 1)
		word = substr(word, 2)
	}
	while (word ~ /[],.:;?!)"]$/ && word !~ /\([0-9]?\)$/) {
		POST = " " substr(word, length(word)) POST
		word = substr(word, 1, length(word) - 1)
	}
	return word
}

function macro(name, arg)
{
	flush_line()
	gsub(/-/, "\\-", arg)
	# Quotation marks would quote arguments.
	gsub(/"/, "\\(dq", PRE)
	gsub(/"/, "\\(dq", POST)
	print "." name " " (PRE == "" ? "" : PRE " ") arg POST
}

function reference(word,    page, section)
{
	match(word, /\([0-9]\)$/)
	page = substr(word, 1, RSTART - 1)
	section = substr(word, RSTART + 1, 1)
	macro("Xr", page " " section)
}

# Of this page, or of another one.
function function_name(word)
{
	if (word in DECLARED)
		macro("Fn", word)
	else
		reference(word "(3)")
}

# A word and what it is. Returns 1 when it took the next one with it.
function put_word(word, following,    bare, rest)
{
	bare = strip(word)
	if (bare ~ /^wtrack_[a-z0-9_]+\(\)$/)
		function_name(substr(bare, 1, length(bare) - 2))
	else if (bare ~ /^[a-z_]+\(\)$/)
		macro("Fn", substr(bare, 1, length(bare) - 2))
	else if (bare ~ /^[a-z_]+\([0-9]\)$/)
		reference(bare)
	else if (bare ~ /^[a-z]+\.h$/ && bare != "limits.h")
		reference("wtrack_" substr(bare, 1, length(bare) - 2) "(3)")
	else if (bare ~ /^@[a-z_0-9]+$/)
		macro("Fa", substr(bare, 2))
	else if (bare ~ errno && bare !~ /POLL/)
		macro("Er", bare)
	else if (bare ~ capital || bare ~ constant)
		macro("Dv", bare)
	else if (bare ~ /^\/(dev|proc|sys)\//)
		macro("Pa", bare)
	else if (bare == "struct" && POST == "" && following ~ /^[a-z_]+/) {
		rest = PRE
		following = strip(following)
		PRE = rest
		macro("Vt", "\"struct " following "\"")
		return 1
	} else
		plain(word)
	return 0
}

function text(s,    word, n, i)
{
	n = split(s, word, /[ \t\n]+/)
	for (i = 1; i <= n; i++)
		if (word[i] != "")
			i += put_word(word[i], word[i + 1])
	flush_line()
}

function display(lines, from, to,    i, all, mark)
{
	for (i = from; i <= to; i++)
		all = all lines[i]
	mark = all ~ /;/ ? "C fragment" : "drawing"
	print ".\\\" " mark
	print ".Bd -literal -offset indent"
	for (i = from; i <= to; i++)
		print escape(substr(lines[i], 2))
	print ".Ed"
}

# Lines with more tabs than the first word's go on with its text.
function table(lines, from, to, pattern,    i, all)
{
	print ".Bl -tag -width \\-EOPNOTSUPP -compact"
	for (i = from; i <= to; i++) {
		if (match(lines[i], pattern)) {
			text(all)
			all = ""
			item(substr(lines[i], 2, RLENGTH - 1))
			lines[i] = substr(lines[i], RLENGTH + 1)
		}
		all = all " " lines[i]
	}
	text(all)
	print ".El"
}

function item(term)
{
	sub(/[ \t]+$/, "", term)
	gsub(/-/, "\\-", term)
	gsub(/, /, " , ", term)
	print ".It " (term ~ /^(\\-)?E[A-Z0-9]+( |$)/ ? "Er " : "Dv ") term
}

function list(lines, from, to,    i, all)
{
	print ".Bl -dash"
	for (i = from; i <= to; i++) {
		if (lines[i] ~ /^\t- /) {
			text(all)
			print ".It"
			all = substr(lines[i], 4)
		} else
			all = all " " lines[i]
	}
	text(all)
	print ".El"
}

function indented(lines, from, to,    term)
{
	term = "^\t-?[A-Z][A-Z0-9]+(, -?[A-Z0-9]+)*[ \t]+"
	if (lines[from] ~ term "[^ \t]" && lines[from] !~ /;$/)
		table(lines, from, to, term)
	else if (lines[from] ~ /^\t- /)
		list(lines, from, to)
	else
		display(lines, from, to)
}

# The end of what begins at line i: lines of the same kind, with the empty ones
# between those that are indented.
function same(lines, i, to,    last)
{
	last = i
	if (lines[i] !~ /^\t/) {
		while (last < to && lines[last + 1] ~ /^[^\t]/)
			last++
		return last
	}
	for (; i <= to && (lines[i] == "" || lines[i] ~ /^\t/); i++)
		if (lines[i] != "")
			last = i
	return last
}

# STARTED says whether anything stands in front of it in its section.
function block(lines, from, to,    i, j, last, all, gap)
{
	gap = 1
	for (i = from; i <= to; i = last + 1) {
		last = i
		if (lines[i] == "") {
			gap = 1
			continue
		}
		last = same(lines, i, to)
		if (i < to && lines[i + 1] ~ /^---+$/) {
			print ".Ss " lines[i]
			last = i + 1
			STARTED = 0
			continue
		}
		if (lines[i] ~ /^\t/) {
			indented(lines, i, last)
		} else {
			all = ""
			for (j = i; j <= last; j++)
				all = all " " lines[j]
			if (gap && STARTED)
				print ".Pp"
			text(all)
		}
		gap = 0
		STARTED = 1
	}
}
