# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the pages show has to be right: programs compile, files parse. Needs
# pages.sh.

# displays KIND PAGE...: the names of files that have them
displays()
{
	local kind=$1 dir
	shift
	mkdir -p "$WORK/displays"
	dir=$(mktemp -d -p "$WORK/displays")
	awk -v KIND="$kind" -v DIR="$dir" -f "$SRC/displays.awk" "$@"
	find "$dir" -type f | sort
}

displays_have_kinds()
{
	awk -f "$SRC/displays.awk" "$@" | diff /dev/null -
}

compile()
{
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -Wno-unused-variable \
		-I"$TOP/include" -I"$TOP/include/uapi" -I"$SRC" -x c "$@"
}

# each COMMAND KIND PAGE...: at least one there must be
each()
{
	local command=$1 found=0 bad=0 file
	shift
	while read -r file; do
		found=1
		$command "$file" || { echo "${file##*/} is wrong"; bad=1; }
	done < <(displays "$@")
	[ $found = 1 ] || { echo "nothing of this kind"; return 1; }
	return $bad
}

links()
{
	compile -o "$1.out" "$1" -x none "$BUILD/libwtrack/libwtrack.so"
}

programs_link()
{
	each links "C program" "$@"
}

fragment_links()
{
	{
		echo '#include "fragment.h"'
		echo 'int main(int argc, char **argv)'
		echo '{'
		echo '	(void)argv, (void)seq, (void)n, (void)r;'
		echo '	(void)range, (void)session, (void)ranges;'
		# Braces that a statement needs, or can have.
		if grep -q '^case ' "$1"; then
			echo '	switch (argc) {'
		else
			echo '	{'
		fi
		cat "$1"
		echo '	}'
		echo '	return argc == 0;'
		echo '}'
	} >"$1.c"
	links "$1.c"
}

fragments_link()
{
	each fragment_links "C fragment" "$@"
}

definition_compiles()
{
	{
		printf '#include <stddef.h>\n#include <stdint.h>\n'
		printf '#include <linux/types.h>\n'
		printf '#define KVM_WTRACK_DATA_BYTES 24\n'
		cat "$1"
	} >"$1.c"
	compile -c -o /dev/null "$1.c"
}

definitions_compile()
{
	each definition_compiles "C definition" "$@"
}

shells_parse()
{
	each "bash -n" shell "$@"
}

# What begins with wtrackctl there has to be a command line that it reads: with
# --help it says so, and does nothing. Of what else runs here nothing matters.
command_is_read()
{
	local command bad=0
	while read -r command; do
		bash -c "pidof() { echo 4711; }
			\"$CTL\" ${command#wtrackctl } --help" >/dev/null ||
			{ echo "is not read: $command"; bad=1; }
	done < <(sed 's/ |$//' "$1" | grep '^wtrackctl ')
	return $bad
}

commands_are_read()
{
	each command_is_read shell "$@"
}
