#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: language.sh [FILE]...
#
# Prints the lines of FILE, by default of the parts of the tree that are free of
# them, with turns of phrase that leave out who acts, or on what. CONTRIBUTING.md
# says what to write instead.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Add what has become clean.
CLEAN=(
	'include/*.h' 'kmod/*.[ch]' 'libwtrack/*' 'python/*'
	README.md SECURITY.md NEWS.md 'docs/*.md' Makefile
	tests/README.md 'tests/*/README.md' debian/control
)
# Belongs to the table of what not to write, or is not clean yet.
NOT_CLEAN=(':!kmod/compat')

PHRASES=(
	'\b[Ww]hoever\b'
	'\b[Ww]ho (needs|wants|has|keeps|hands|uses|asks)\b'
	'\b[Nn]obody\b'
	'\b[Ss]omebody\b'
	'\b(he|his|him|himself)\b'
	'\bbut for\b'
	'\b(is|are|was|were|be|been) told\b'
	'\bgo(es|ing)? on\b'
	'[:;(,] of these,'
	'\ball the same\b'
	'\bby the way\b'
	'\bLikewise\b'
	'\bAs above\b'
)

pattern=$(IFS='|'; echo "${PHRASES[*]}")
if [ $# = 0 ]; then
	mapfile -t files < <(git ls-files -- "${CLEAN[@]}" "${NOT_CLEAN[@]}")
	set -- "${files[@]}"
fi
grep -nE "$pattern" "$@" || true
