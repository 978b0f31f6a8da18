# SPDX-License-Identifier: GPL-2.0-or-later
# Of org.wtrack1(5): its members in the words of bus.sh. Behind "->" types are
# results.
/^\.\\" (methods|properties|signals) / {
	kind = $2 == "properties" ? "property" : substr($2, 1, length($2) - 1)
	interface = $3
}
/^\.Ss/ { interface = "" }
interface != "" && /^\.It / {
	out = in_types = out_types = names = ""
	for (i = 2; i <= NF; i++) {
		if ($i == "\\(->")
			out = 1
		else if ($i == "Cm")
			member = $(++i)
		else if ($i == "Li" && out)
			out_types = out_types $(++i)
		else if ($i == "Li")
			in_types = in_types $(++i)
		else if ($i == "Ar")
			names = names " " $(++i)
	}
	sub(/^\\&/, "", member)
	print interface, kind, member, in_types " -> " out_types ":" names
}
