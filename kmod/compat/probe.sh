#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: probe.sh FILE COMPILER [ARGUMENT]...
#
# Prints "yes" if the compiler takes FILE, and "no" if it refuses what FILE itself
# says. Anything else that it prints is one line, the reason why neither is certain:
# a header that is missing or does not compile, or a compiler that does not run, says
# nothing about what FILE looks for.
file=$1
shift

if said=$(LC_ALL=C "$@" -fsyntax-only "$file" 2>&1); then
	echo yes
	exit
fi
errors=$(printf '%s\n' "$said" | grep -E '(^|: )(fatal )?error: ')
elsewhere=$(printf '%s\n' "$errors" | grep -vE "^$file:[0-9:]* error: ")
if [ -n "$elsewhere" ]; then
	printf '%s\n' "$elsewhere" | head -n 1
elif [ -n "$errors" ]; then
	echo no
else
	printf 'the compiler fails: %s\n' "$said" | tail -n 1
fi
