# SPDX-License-Identifier: GPL-2.0-or-later
# Of the library's headers: the name of each function. What its comment lacks
# goes to standard error.
function lack(what)
{
	printf "%s: %s has no %s\n", FILENAME, name, what >"/dev/stderr"
}

function check_parameters(list,    n, i, part)
{
	n = split(list, part, ",")
	for (i = 1; i <= n; i++) {
		if (!match(part[i], /[a-z_0-9]+$/) || part[i] == "void")
			continue
		part[i] = substr(part[i], RSTART)
		if (doc !~ ("\n \\* @" part[i] ":"))
			lack("@" part[i])
	}
}

function check(    list)
{
	match(proto, /wtrack_[a-z0-9_]+\(/)
	name = substr(proto, RSTART, RLENGTH - 1)
	list = substr(proto, RSTART + RLENGTH)
	sub(/\);.*/, "", list)
	print name
	if (doc !~ ("\n \\* " name "\\(\\) - "))
		lack("comment")
	if (proto !~ /^void wtrack/ && doc !~ /\n \* Return: /)
		lack("Return:")
	if (doc !~ /\n \* Since: [0-9]+\.[0-9]+\n/)
		lack("Since:")
	check_parameters(list)
}

/^\/\*/ { doc = "" ; in_doc = 1 }
in_doc { doc = doc "\n" $0; if (/\*\/$/) in_doc = 0; next }
/^[a-z].*[ *]wtrack_[a-z0-9_]+\(/ || /^wtrack_[a-z0-9_]+\(/ { in_proto = 1; proto = "" }
in_proto {
	gsub(/^[ \t]+/, "")
	proto = proto (proto == "" || proto ~ /\($/ ? "" : " ") $0
	if (/;$/) {
		in_proto = 0
		check()
		doc = ""
	}
}
