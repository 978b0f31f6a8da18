# SPDX-License-Identifier: GPL-2.0-or-later
# Of wtrackctl(1): what it says of each command, in the words of tools.sh. The
# page has three lists, each with a comment in front of it.

# ".It Fl n , -count Ns = Ns Ar N" is "n count N"
function option(    i, letter, name, value)
{
	letter = value = "-"
	for (i = 2; i <= NF; i++) {
		if ($i ~ /^[a-z]$/)
			letter = $i
		else if ($i ~ /^-[a-z]/)
			name = substr($i, 2)
		else if ($i == "Ar")
			value = $(i + 1)
	}
	return letter " " name " " value
}

# ".It Ic show Ar VM Op Ar FILE" takes "VM [FILE]", "Op Ar FILE ..." "[FILE]..."
function arguments(    i, all)
{
	for (i = 4; i <= NF; i++) {
		if ($i == "Op")
			i++
		else if ($i != "Ar")
			continue
		all = all (all == "" ? "" : " ") \
			($i == "Ar" && $(i - 1) == "Op" ? "[" $(++i) "]" : $(++i)) \
			($(i + 1) == "..." ? "..." : "")
	}
	return all
}

/^\.\\" commands/ { part = "commands" }
/^\.\\" common options/ { part = "common" }
/^\.\\" stream options/ { part = "stream" }
/^\.Ss JSON/ { part = "" }
part == "commands" && /^\.It Ic / {
	command = $3
	commands[++nr] = command
	print command ": " arguments()
}
part == "commands" && /^\.It Fl / { print command ": " option() }
part == "commands" && /^A stream\.$/ {
	stream[command] = 1
	print command ": stream"
}
part == "common" && /^\.It Fl / { common[++nr_common] = option() }
part == "stream" && /^\.It Fl / { streams[++nr_streams] = option() }
END {
	for (i = 1; i <= nr; i++) {
		for (j = 1; j <= nr_common; j++)
			print commands[i] ": " common[j]
		for (j = 1; j <= nr_streams && stream[commands[i]]; j++)
			print commands[i] ": " streams[j]
	}
}
