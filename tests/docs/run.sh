#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# Checks what the documents say against the tree. Prints TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/check.sh"
cd "$TOP"

# Paths in backquotes, and the targets of links, in document $1.
named_files()
{
	{
		grep -oE '`(kmod|libwtrack|include|tests|docs|examples|daemon|ctl|man|python|systemd)/[^` ]*`' "$1" |
			tr -d '`'
		grep -oE '\]\([^)#:]+\)' "$1" | tr -d '])('
	} | sort -u
}

files_exist()
{
	local file found=0
	while read -r file; do
		found=1
		[ -e "$file" ] || echo "$1 names $file, which is not there"
	done < <(named_files "$1")
	[ $found = 1 ] || echo "$1 names no file at all"
}

readme_is_short()
{
	local lines
	lines=$(wc -l <README.md)
	[ "$lines" -lt 150 ] || echo "README.md has $lines lines"
}

first_program()
{
	sed -n '/^```c$/,/^```$/p' README.md | sed '1d;$d'
}

first_program_is_the_example()
{
	diff <(first_program) <(sed '1,2d' examples/first.c)
}

first_program_compiles()
{
	first_program | "${CC:-cc}" -Wall -Wextra -Werror -x c -c -o /dev/null \
		-Iinclude -
}

# The command that README.md shows for a library that is not installed builds a
# program that finds the library: without arguments it prints its usage. It runs
# in a directory of its own, because it leaves the program there.
first_program_builds_in_the_tree()
{
	local dir line
	line=$(grep -x '    cc .* -Lbuild/libwtrack .*' README.md)
	dir=$(mktemp -d)
	ln -s "$TOP/examples" "$TOP/include" "$dir"
	ln -s "$BUILD" "$dir/build"
	(
		cd "$dir"
		bash -ec "$line"
		out=$(./first 2>&1) || true
		grep -x 'first VM GFN: .*' <<<"$out" >/dev/null || echo "$out"
	) || echo "does not work: $line"
	rm -rf "$dir"
}

first_python_program()
{
	sed -n '/^```python$/,/^```$/p' docs/PYTHON.md | sed '1d;$d'
}

first_python_program_is_the_example()
{
	diff <(first_python_program) <(sed '1,2d' examples/python/first.py)
}

# The command that docs/PYTHON.md shows for a package that is not installed finds
# the package and the library: without arguments the program misses its first.
first_python_program_runs_in_the_tree()
{
	local dir line out
	line=$(grep -oE '^    LD_LIBRARY_PATH=build/libwtrack .*\.py' docs/PYTHON.md)
	dir=$(mktemp -d)
	ln -s "$TOP/examples" "$dir"
	ln -s "$BUILD" "$dir/build"
	out=$(cd "$dir" && bash -c "$line" 2>&1) || true
	grep -x 'IndexError: .*' <<<"$out" >/dev/null || echo "$line: $out"
	rm -rf "$dir"
}

# Names of enumerators in the header: VM_ID for KVM_WTRACK_A_VM_ID.
header_names()
{
	grep -oE "^	KVM_WTRACK_$1_[A-Z_]+" \
		include/uapi/linux/kvm_wtrack_genl.h |
		sed -E "s/^	KVM_WTRACK_$1_//" | grep -v UNSPEC
}

# Names in the part of the specification between two lines, in the same form.
yaml_names()
{
	sed -n "/^$1:/,/^$2:/p" docs/netlink/kvm_wtrack.yaml |
		sed -nE 's/^ {6,8}name: ([a-z-]+)$/\1/p' | grep -v '^main$' |
		tr 'a-z-' 'A-Z_'
}

netlink_attributes_agree()
{
	diff <(header_names A) <(yaml_names attribute-sets operations)
}

netlink_commands_agree()
{
	diff <(header_names CMD) <(yaml_names operations mcast-groups)
}

# The entries of the enumeration, which may go over several lines.
yaml_events()
{
	sed -n '/^    name: event$/,/]/p' docs/netlink/kvm_wtrack.yaml |
		tr '\n' ' ' | sed 's/.*\[\(.*\)\].*/\1/' | tr -d ' ' |
		tr ',a-z-' '\nA-Z_' | grep -v UNSPEC
}

netlink_events_agree()
{
	diff <(header_names EVENT) <(yaml_events)
}

no_kernel_versions_in_kmod()
{
	grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION' -r kmod || true
}

# licence_texts FILE...: each licence that these files name has its text, in
# LICENSES/, without what says which versions are meant
licence_texts()
{
	local name
	awk 'FNR <= 2' "$@" | sed -n 's/.*SPDX-License-Identifier: //p' |
		sed -E 's/ *(-->|\*\/)$//; s/[()]//g; s/ (WITH|OR|AND) /\n/g' |
		sed -E 's/-(only|or-later)$//' | sort -u |
		while read -r name; do
			[ -s "LICENSES/$name" ] || echo "no text of $name"
		done
}

tree_licence_texts()
{
	local files
	mapfile -t files < <(git ls-files | grep -v ^LICENSES/)
	licence_texts "${files[@]}"
}

missing_licence_is_found()
{
	local found
	found=$(licence_texts <(echo "# SPDX-License-Identifier: CC0-1.0"))
	[ "$found" = "no text of CC0-1.0" ] || echo "found: $found"
}

# Each page of docs/, and what it links to.
index_has_all_pages()
{
	local page
	for page in docs/*.md; do
		[ "$page" = docs/README.md ] ||
			grep -qF "](${page#docs/})" docs/README.md ||
			echo "docs/README.md does not name $page"
	done
	grep -oE '\]\([^)#:]+\)' docs/README.md | tr -d '])(' |
		while read -r page; do
			[ -e "docs/$page" ] || echo "docs/$page is not there"
		done
}

walks_find_what_is_wrong()
{
	local found
	found=$(tests/docs/walks.sh <(printf '%s\n' '## Where to find things' \
		'1. `kmod/fence.c`: `kwt_fence()`, `schedule_timeout_killable()`' \
		'2. `kmod/none.c`: `f()`' '## End'))
	diff - <(echo "$found") <<-END
		there are 0 questions
		kmod/fence.c does not define schedule_timeout_killable()
		kmod/none.c is not there
		there are 3 functions
	END
}

language_is_checked()
{
	local found
	found=$(tests/docs/language.sh <(printf '%s\n' \
		'The caller holds the lock.' 'Whoever needs it is told.'))
	[[ $found = *:2:Whoever* || $found = 2:Whoever* ]] || echo "found: $found"
}

make -s -C python BUILD="$BUILD" >&2

check "README.md has less than 150 lines" readme_is_short
check "README.md names files that are there" files_exist README.md
check "docs/ARCHITECTURE.md names files that are there" \
	files_exist docs/ARCHITECTURE.md
check "docs/INSTALL.md names files that are there" files_exist docs/INSTALL.md
check "README.md shows examples/first.c" first_program_is_the_example
check "README.md's first program compiles as it stands" first_program_compiles
check "README.md's first program builds without an installed library" \
	first_program_builds_in_the_tree
for page in CONTRIBUTING.md SECURITY.md NEWS.md; do
	check "$page names files that are there" files_exist "$page"
done
check "docs/README.md has each page of docs/" index_has_all_pages
check "docs/ARCHITECTURE.md names functions where they are" \
	tests/docs/walks.sh docs/ARCHITECTURE.md
check "functions that are elsewhere are found" walks_find_what_is_wrong
check "the sentences of the clean parts say who acts" tests/docs/language.sh
check "sentences that do not are found" language_is_checked
check "docs/PYTHON.md names files that are there" files_exist docs/PYTHON.md
check "docs/PYTHON.md shows examples/python/first.py" \
	first_python_program_is_the_example
check "docs/PYTHON.md's first program runs without an installed package" \
	first_python_program_runs_in_the_tree
check "the netlink specification has the header's attributes" \
	netlink_attributes_agree
check "the netlink specification has the header's commands" \
	netlink_commands_agree
check "the netlink specification has the header's events" \
	netlink_events_agree
check "docs/OBSERVED.md names files that are there" files_exist docs/OBSERVED.md
check "docs/MATRIX.md names files that are there" files_exist docs/MATRIX.md
check "docs/KERNELS.md names files that are there" files_exist docs/KERNELS.md
check "docs/ABI.md names files that are there" files_exist docs/ABI.md
check "docs/PERFORMANCE.md names files that are there" \
	files_exist docs/PERFORMANCE.md
check "docs/OBSERVED.md has the table of what the host tests saw" \
	tests/docs/observed.sh check
check "no kernel version is named in kmod/" no_kernel_versions_in_kmod
check "LICENSES/ has the text of each licence" tree_licence_texts
check "a licence without text is found" missing_licence_is_found
check_finish docs
