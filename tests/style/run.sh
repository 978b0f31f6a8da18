#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# Goes through the module with sparse, for each kernel, and with clang, and through
# all sources with checkpatch.pl and shellcheck. Each of them is also shown something wrong,
# which it has to find. And has the tests count what passes and what fails. Prints
# TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/check.sh"
cd "$TOP"

WORK=$BUILD/style

# What is held to the kernel's rules. Two of them do not fit: the reserved word
# of a structure is an array of one, and a race that is meant is explained before
# the function, not in it.
IS_KERNEL='^(kmod|include/uapi)/'
KERNEL_IGNORES=FLEXIBLE_ARRAY,DATA_RACE

# For what runs in user space, which has other functions and macros: how it
# looks.
USER_TYPES=BLOCK_COMMENT_STYLE,BRACES,C99_COMMENTS,CODE_INDENT,DEEP_INDENTATION
USER_TYPES+=,ELSE_AFTER_BRACE,FUNCTION_WITHOUT_ARGS,GLOBAL_INITIALISERS
USER_TYPES+=,INITIALISED_STATIC,INLINE_LOCATION,LONG_LINE,LONG_LINE_COMMENT
USER_TYPES+=,LONG_LINE_STRING,POINTER_LOCATION,RETURN_PARENTHESES
USER_TYPES+=,SIZEOF_PARENTHESIS,SPACE_BEFORE_TAB,SPDX_LICENSE_TAG
USER_TYPES+=,SUSPECT_CODE_INDENT,SWITCH_CASE_INDENT_LEVEL,TABSTOP
USER_TYPES+=,TRAILING_WHITESPACE,TYPO_SPELLING,UNNECESSARY_ELSE

# Not for scripts: that a function which another one is told to call is never
# reached, that words which are to be split are not quoted, that what is for
# another shell is, and that what they source is elsewhere when they run.
SHELL_IGNORES=SC1091,SC2013,SC2016,SC2086,SC2317

# finds TEXT COMMAND...: it fails, and says why
finds()
{
	local text=$1 out
	shift
	! out=$("$@" 2>&1) || { echo "was not noticed"; return 1; }
	grep -qF "$text" <<<"$out" || { echo "$out"; return 1; }
}

# kbuild goes on without sparse if it does not like it.
sparse_clean()
{
	local directory checked files=(kmod/*.c)
	directory=$("$HOST/kernel.sh" "$1") &&
		"$HOST/module.sh" --sparse "$directory" "$BUILD/$1" || return
	checked=$(grep -cE '^ +CHECK|/sparse ' \
		"$BUILD/log/module-$1-kvm-wtrack") || true
	[ "$checked" -ge "${#files[@]}" ] || {
		echo "only $checked of ${#files[@]} files were gone through"
		return 1
	}
}

clang_clean()
{
	local directory
	directory=$("$HOST/kernel.sh" 6.12) &&
		"$HOST/module.sh" --clang "$directory" "$BUILD/6.12-clang" || return
	grep -q host/clang.sh "$BUILD/6.12-clang/kmod/.vm.o.cmd" || {
		echo "another compiler has built it"
		return 1
	}
}

# Which GCC does not warn of.
clang_wrong()
{
	local tree=$WORK/clang-wrong directory
	directory=$("$HOST/kernel.sh" 6.12)
	rm -rf "$tree"
	mkdir -p "$tree"
	printf 'obj-m := wrong.o\n' >"$tree/Kbuild"
	printf '%s\n' '#include <linux/module.h>' 'int wrong(int a);' \
		'int wrong(int a) { a = a; return a; }' \
		'MODULE_LICENSE("GPL");' >"$tree/wrong.c"
	make -C "$directory/headers" M="$tree" \
		CC="$HOST/clang.sh" KCFLAGS=-Werror modules
}

# A pointer of user space is read as one of the kernel.
sparse_wrong()
{
	local tree=$WORK/wrong directory
	directory=$("$HOST/kernel.sh" 6.12)
	rm -rf "$tree"
	mkdir -p "$tree"
	printf 'obj-m := wrong.o\n' >"$tree/Kbuild"
	printf '%s\n' '#include <linux/module.h>' \
		'int wrong(int __user *p);' \
		'int wrong(int __user *p) { return *p; }' \
		'MODULE_LICENSE("GPL");' >"$tree/wrong.c"
	make -C "$directory/headers" M="$tree" C=2 CF=-Wsparse-error modules
}

checkpatch()
{
	perl "$checkpatch" --no-tree --terse --show-types --no-summary \
		--max-line-length=100 "$@"
}

kernel_style()
{
	checkpatch --ignore "$KERNEL_IGNORES" -f "$@"
}

# Undocumented members, and documentation of members that there are not.
kernel_doc()
{
	perl "$scripts/kernel-doc" -none -Wall "$@"
}

kernel_doc_finds()
{
	kernel_doc "$1" 2>&1 | grep -q "'b' not described" ||
		echo "was not noticed"
}

# Two at a time, as they are many.
user_style()
{
	export -f checkpatch
	export checkpatch USER_TYPES
	# shellcheck disable=SC2016 # that shell's
	printf '%s\n' "$@" | xargs -P 2 -n 40 bash -c \
		'checkpatch --types "$USER_TYPES" -f "$@"' checkpatch
}

# Each pair is one idea in two files, see docs/ARCHITECTURE.md.
no_circles()
{
	local objects=$WORK/objects
	rm -rf "$objects"
	mkdir -p "$objects"
	cp "$BUILD/$1"/kmod/*.o "$objects"
	rm -f "$objects/kvm-wtrack.o"
	tests/style/circles.sh "$objects" ring:wake arm:tell
}

circle_is_found()
{
	local objects=$WORK/circle
	rm -rf "$objects"
	mkdir -p "$objects"
	echo 'void b(void); void a(void); void a(void) { b(); }' |
		"${CC:-cc}" -x c -c -o "$objects/first.o" -
	echo 'void a(void); void b(void); void b(void) { a(); }' |
		"${CC:-cc}" -x c -c -o "$objects/second.o" -
	echo 'void a(void); void c(void); void c(void) { a(); }' |
		"${CC:-cc}" -x c -c -o "$objects/third.o" -
	grep -qx 'first' < <(tests/style/circles.sh "$objects") ||
		echo "the circle was not found"
	tests/style/circles.sh "$objects" first:second
}

shells()
{
	git grep -lE '^#!/bin/(ba)?sh|^# shellcheck shell=' -- ':!*.[ch]'
}

shell_style()
{
	shellcheck -x -P SCRIPTDIR -e "$SHELL_IGNORES" "$@"
}

mkdir -p "$WORK"
scripts=$("$HOST/checkpatch.sh")
checkpatch=$scripts/checkpatch.pl
printf '%s\n' '/* SPDX-License-Identifier: MIT */' 'int f(void)' '{' \
	'        return 0;' '}' >"$WORK/wrong.h"
printf '%s\n' '/**' ' * struct s - a structure' ' * @a: a member' ' */' \
	'struct s {' '	int a;' '	int b;' '};' >"$WORK/undocumented.h"
# shellcheck disable=SC2016 # not this one's
printf '#!/bin/sh\n[ $1 == a ]\n' >"$WORK/wrong.sh"

for kernel in 6.1 6.12 newest; do
	check "sparse finds nothing in the module for $kernel" if_it_fails \
		sparse_clean "$kernel"
done
check "files of the module do not call each other in circles" no_circles 6.12
check "files that call each other in a circle are found" circle_is_found
check "clang finds nothing in the module for 6.12" if_it_fails clang_clean
check "clang finds what it alone warns of" if_it_fails \
	finds Wself-assign clang_wrong
check "sparse finds a pointer that is of the wrong kind" if_it_fails \
	finds "dereference of noderef" sparse_wrong
mapfile -t files < <(git ls-files '*.[ch]' | grep -E "$IS_KERNEL")
check "checkpatch.pl finds nothing in kernel code" if_it_fails kernel_style "${files[@]}"
mapfile -t files < <(git ls-files '*.[ch]' | grep -vE "$IS_KERNEL")
check "checkpatch.pl finds nothing in other code" if_it_fails user_style "${files[@]}"
check "checkpatch.pl finds spaces in kernel code" if_it_fails \
	finds CODE_INDENT kernel_style "$WORK/wrong.h"
check "checkpatch.pl finds spaces in other code" if_it_fails \
	finds CODE_INDENT user_style "$WORK/wrong.h"
mapfile -t files < <(git ls-files 'include/*.h' 'kmod/*.[ch]')
check "kernel-doc finds nothing" kernel_doc "${files[@]}"
check "kernel-doc finds a member without a text" \
	kernel_doc_finds "$WORK/undocumented.h"
mapfile -t files < <(shells)
check "shellcheck finds nothing" if_it_fails shell_style "${files[@]}"
check "shellcheck finds what another shell does not know" if_it_fails \
	finds SC3014 shell_style "$WORK/wrong.sh"
check "known failures are counted, and told from others" tests/style/counting.sh
check_finish style
