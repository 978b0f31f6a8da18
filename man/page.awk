# SPDX-License-Identifier: GPL-2.0-or-later
# A page from its template, with mdoc.awk and header.awk: lines of it that
# begin with .\" @ stand for what is taken from elsewhere.
#
#	@header FILE		what the lines below are about
#	@names			.Nm of all functions, and .Nd
#	@synopsis		the functions
#	@lead [HEADING]		the header's own comment, or a section of it
#	@body			everything that is declared in it
#	@constants PREFIX	its constants that begin so
#	@source FILE		a program
#	@example		the program in EXAMPLE, if there is one

function split_doc(doc)
{
	for (nr_lines in LINES)
		delete LINES[nr_lines]
	nr_lines = split(doc, LINES, "\n")
}

# The first sentence of the header's comment, as .Nd wants it.
function summary(    s)
{
	s = LEAD
	sub(/\n\n.*/, "", s)
	gsub(/\n/, " ", s)
	sub(/^[a-z]+: /, "", s)
	sub(/\.$/, "", s)
	return tolower(substr(s, 1, 1)) substr(s, 2)
}

function put_names(    i, last)
{
	for (i = 1; i <= NR_ENTRIES; i++)
		if (KIND[i] == "function")
			last = i
	print ".Nm " object " ,"
	for (i = 1; i <= last; i++)
		if (KIND[i] == "function")
			print ".Nm " NAME[i] (i < last ? " ," : "")
	print ".Nd " summary()
}

function put_prototype(i,    s, args, n, j, arg)
{
	s = CODE[i]
	match(s, /[a-z_0-9]+\(/)
	args = substr(s, RSTART + RLENGTH)
	s = substr(s, 1, RSTART - 1)
	sub(/ +$/, "", s)
	sub(/\);.*/, "", args)
	print ".Ft " (s ~ / / ? "\"" s "\"" : s)
	print ".Fo " NAME[i]
	n = split(args, arg, /, */)
	for (j = 1; j <= n; j++)
		print ".Fa \"" arg[j] "\""
	print ".Fc"
}

function put_synopsis(    i)
{
	for (i = 1; i <= NR_ENTRIES; i++)
		if (KIND[i] == "function")
			put_prototype(i)
}

# The fields or parameters: "@name: text", which goes on with a tab. Returns
# the line behind them.
function put_parameters(i,    name, all, open)
{
	for (; i <= nr_lines && LINES[i] ~ /^(@|\t)/; i++) {
		if (LINES[i] !~ /^@/) {
			all = all " " LINES[i]
			continue
		}
		if (open)
			text(all)
		else
			print ".Bl -tag -width nr_ranges -compact"
		open = 1
		match(LINES[i], /:/)
		name = substr(LINES[i], 2, RSTART - 2)
		print ".It Fa " name
		all = substr(LINES[i], RSTART + 1)
	}
	if (open) {
		text(all)
		print ".El"
	}
	return i
}

# "name - summary", which goes on with a tab: a sentence under a heading.
# Returns the line behind it.
function put_summary(heading,    i, s)
{
	s = LINES[1]
	sub(/^.* - /, "", s)
	for (i = 2; LINES[i] ~ /^\t/; i++)
		s = s " " substr(LINES[i], 2)
	sub(/ \(KVM_WTRACK_[A-Z_]+\)$/, "", s)
	print ".Ss " heading
	text(toupper(substr(s, 1, 1)) substr(s, 2) (s ~ /\?$/ ? "" : "."))
	return i
}

# What is left of the comment, with "Return:" and "Since:".
function put_rest(i,    from)
{
	for (from = i; i <= nr_lines; i++) {
		if (LINES[i] !~ /^(Return|Since): /)
			continue
		block(LINES, from, i - 1)
		print ".Pp\n.Sy " substr(LINES[i], 1, index(LINES[i], ":") - 1) " :"
		sub(/^(Return|Since): /, "", LINES[i])
		from = i
		STARTED = 0
	}
	block(LINES, from, nr_lines)
}

function put_definition(code,    n, line, i)
{
	print ".\\\" C definition"
	print ".Bd -literal -offset indent"
	n = split(code, line, "\n")
	for (i = 1; i <= n; i++)
		print line[i]
	print ".Ed"
}

# A struct or a function; the constants from number HELD on, if not 0, are its.
function put_declaration(i, held,    j)
{
	split_doc(DOC[i])
	if (KIND[i] == "struct") {
		j = put_summary("struct " NAME[i])
		put_definition(CODE[i])
	} else {
		j = put_summary(NAME[i] "()")
	}
	j = put_parameters(j)
	STARTED = 1
	if (held) {
		print ".Pp"
		put_constants(held, "")
		split_doc(DOC[i])
	}
	put_rest(j)
}

function put_comment(i)
{
	split_doc(DOC[i])
	block(LINES, 1, nr_lines)
}

# Constants in a row that have the prefix. Those that share a comment make a
# list of their own behind it.
function put_constants(i, prefix,    open)
{
	for (; i <= NR_ENTRIES && KIND[i] == "constant"; i++) {
		if (substr(NAME[i], 1, length(prefix)) != prefix)
			continue
		if (open && GROUP[i] > 1) {
			print ".El"
			open = 0
		}
		if (GROUP[i] > 1 && DOC[i] != "") {
			put_comment(i)
			DOC[i] = ""
		}
		if (!open)
			print ".Bl -tag -width Ds -compact"
		open = 1
		print ".It Dv " NAME[i]
		gsub(/\n/, " ", DOC[i])
		text(DOC[i])
	}
	if (open)
		print ".El"
	STARTED = 1
}

# Constants that stand in front of all else are for all; later ones belong to
# what follows them.
function put_body(    i, seen, held)
{
	for (i = 1; i <= NR_ENTRIES; i++) {
		if (!seen && i == 1 && KIND[i] !~ /struct|function/) {
			print ".Ss Constants"
			STARTED = 0
		}
		if (KIND[i] == "comment") {
			put_comment(i)
		} else if (KIND[i] == "constant") {
			held = held ? held : i
			if (KIND[i + 1] == "constant" && i < NR_ENTRIES)
				continue
			if (seen && KIND[i + 1] ~ /struct|function/)
				continue
			put_constants(held, "")
			held = 0
		} else {
			put_declaration(i, held)
			held = 0
			seen = 1
		}
	}
}

# The header's comment: all of it, what is under a heading of it, or, for "-",
# what is in front of the first.
function put_lead(heading,    i, from, to)
{
	split_doc(LEAD)
	from = heading == "" || heading == "-"
	to = nr_lines
	for (i = 1; heading != "" && i < nr_lines && to == nr_lines; i++) {
		if (LINES[i + 1] !~ /^---+$/)
			continue
		if (from)
			to = i - 1
		else if (LINES[i] == heading)
			from = i + 2
	}
	if (!from) {
		print HEADER " has no section " heading >"/dev/stderr"
		exit 1
	}
	block(LINES, from, to)
}

function put_all_constants(prefix,    i)
{
	for (i = 1; i <= NR_ENTRIES; i++)
		if (KIND[i] == "constant" && KIND[i - 1] != "constant")
			put_constants(i, prefix)
}

# Without its first lines, which are its licence and what it is.
function put_source(file,    s, in_code)
{
	if (file == example)
		print ".Sh EXAMPLES"
	print ".\\\" C program"
	print ".Bd -literal"
	while ((getline s < file) > 0) {
		if (s ~ /^#include/)
			in_code = 1
		if (in_code)
			print escape(s)
	}
	close(file)
	if (!in_code) {
		print "cannot read " file >"/dev/stderr"
		exit 1
	}
	print ".Ed"
}

{ gsub(/@DATE@/, date); gsub(/@OBJECT@/, toupper(object)) }
$1 != ".\\\"" || $2 !~ /^@/ {
	print
	STARTED = $1 !~ /^\.(S[hs]|Dd|Pp)$/
	next
}
$2 == "@header" { header = $3; read_header(header); next }
{ read_header(header) }
$2 == "@names" { put_names() }
$2 == "@synopsis" { put_synopsis() }
$2 == "@lead" { sub(/^[^@]*@lead */, ""); put_lead($0) }
$2 == "@body" { put_body() }
$2 == "@constants" { put_all_constants($3) }
$2 == "@example" && example != "" { put_source(example) }
$2 == "@source" { put_source($3) }
