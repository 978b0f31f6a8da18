# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What run.sh checks: functions that print what is wrong and fail. Each takes
# what it looks at as arguments, so that run.sh can also show it something
# wrong.

UAPI=$TOP/include/uapi
PUBLIC=$TOP/include
SRC=$TOP/tests/abi
# shellcheck disable=SC2034 # run.sh uses it
LIB=$BUILD/libwtrack
WORK=$BUILD/abi

WARN=(-Wall -Wextra -Werror)

# compile_layout LAYOUT DIR [COMPILER FLAG...]: with the headers in DIR
compile_layout()
{
	local layout=$1 dir=$2
	shift 2
	[ $# -gt 0 ] || set -- "${CC:-cc}"
	"$@" "${WARN[@]}" -fsyntax-only -I"$dir" -x "${lang:-c}" "$layout"
}

# compile_uapi COMPILER FLAG...: each of the kernel's headers alone, and its
# layout
compile_uapi()
{
	local header
	for header in kvm_wtrack kvm_wtrack_genl; do
		"$@" "${WARN[@]}" -fsyntax-only -I"$UAPI" \
			-include "linux/$header.h" -x "$lang" /dev/null
	done
	compile_layout "$SRC/uapi_layout.c" "$UAPI" "$@"
	compile_layout "$SRC/genl_layout.c" "$UAPI" "$@"
}

c_uapi()
{
	local lang=c
	compile_uapi "${CC:-cc}" "$@"
}

cxx_uapi()
{
	local lang=c++
	compile_uapi "${CXX:-c++}" "$@"
}

# With the kernel headers of the machine, which are the same for 32 bits.
m32_uapi()
{
	local multiarch
	multiarch=$("${CC:-cc}" -print-multiarch)
	"$1" -m32 "${@:2}" -isystem "/usr/include/$multiarch"
}

# public_headers COMPILER LANGUAGE FLAG...: each alone, and the layout
public_headers()
{
	local compiler=$1 lang=$2 header
	shift 2
	for header in "$PUBLIC"/wtrack/*.h; do
		"$compiler" "$@" "${WARN[@]}" -pedantic -fsyntax-only \
			-I"$PUBLIC" -include "wtrack/${header##*/}" \
			-x "$lang" /dev/null
	done
	"$compiler" "$@" "${WARN[@]}" -fsyntax-only -I"$PUBLIC" -x "$lang" \
		"$SRC/public_layout.c"
}

# only_standard_headers DIR
only_standard_headers()
{
	local bad
	bad=$(grep -n '^[[:space:]]*#[[:space:]]*include' "$1"/wtrack/*.h |
		grep -vE '<(std(bool|def|int)|wtrack/[a-z]+)\.h>') || return 0
	printf '%s\n' "$bad"
	return 1
}

# all_pinned PREFIX LAYOUT HEADER...: no field and no number is left out
all_pinned()
{
	local prefix=$1 layout=$2
	shift 2
	diff <(awk -v PREFIX="$prefix" -f "$SRC/fields.awk" "$@" |
		grep -v '^#' | sort) \
		<(sed -n 's/^FIELD(\([^,]*\), \([^,]*\),.*/\1 \2/p' "$layout" |
			sort)
	diff <(awk -f "$SRC/fields.awk" "$@" | sed -n 's/^#define //p' |
		sort) \
		<(sed -nE 's/^PIN\((sizeof\()?([A-Z0-9_]+).*/\2/p' "$layout" |
			sort)
}

# all_numbered LAYOUT HEADER: no enumerator is left out
all_numbered()
{
	diff <(sed -nE 's/^\t(KVM_WTRACK_[A-Z0-9_]+).*/\1/p' "$2" | sort) \
		<(sed -nE 's/^PIN\((KVM_WTRACK_[A-Z0-9_]+), .*/\1/p' "$1" |
			grep -v _VERSION | sort)
}

exported()
{
	nm -D --defined-only "$1" | sed -n 's/.* [TDBRVW] \([^@]*\).*/\1/p' |
		sort
}

# functions_pinned LIBRARY FUNCTIONS DIR: of this type in the headers, of this
# version in the library, none left out
functions_pinned()
{
	"${CC:-cc}" -std=c99 "${WARN[@]}" -fsyntax-only -I"$3" "$2"
	"${CXX:-c++}" -std=c++11 "${WARN[@]}" -fsyntax-only -I"$3" \
		-x c++ "$2"
	diff <(nm -D --defined-only "$1" |
		sed -n 's/.* [TDBRVW] \(.*\)@@LIBWTRACK_\(.*\)/\1 \2/p' | sort) \
		<(sed -nE 's/^FUNCTION\(([0-9.]+), .* \**(wtrack_[a-z0-9_]+),.*/\2 \1/p' \
			"$2" | sort)
}

# same_symbols LIBRARY MAP DIR: exported = in the map = in the headers
same_symbols()
{
	diff <(exported "$1") <(sed -n 's/^\t\(wtrack_.*\);$/\1/p' "$2" | sort)
	diff <(exported "$1") <("${CC:-cc}" -E -P -I"$3" \
		"$3/wtrack/wtrack.h" | grep -oE '\bwtrack_[a-z0-9_]+ ?\(' |
		tr -d ' (' | sort)
}

# documented LIBRARY HEADER...
documented()
{
	local lacking names
	names=$(mktemp)
	lacking=$(awk -f "$SRC/docs.awk" "${@:2}" 2>&1 >"$names")
	diff <(exported "$1") <(sort "$names") || lacking+=" (see above)"
	rm "$names"
	[ -z "$lacking" ] || { printf '%s\n' "$lacking"; return 1; }
}

# versioned LIBRARY MAP: each symbol has a version
versioned()
{
	local bad
	bad=$(nm -D --defined-only "$1" | grep -v '@@LIBWTRACK_1\.' |
		grep -v ' A LIBWTRACK_1\.') || return 0
	printf '%s\n' "$bad"
	return 1
}

# own_names ARCHIVE: a program that links it may use all other names
own_names()
{
	nm -A -g --defined-only "$1" | awk '$NF !~ /^wtrack_/' | diff /dev/null -
}

# exports_only NAME LIBRARY
exports_only()
{
	diff <(printf '%s\n' "$1") <(exported "$2")
}

# links_whole ARCHIVE PROGRAM.c: with all of it, and runs
links_whole()
{
	"${CC:-cc}" -I"$PUBLIC" "${WARN[@]}" -o "$WORK/whole" "$2" \
		-Wl,--whole-archive "$1" -Wl,--no-whole-archive -lsystemd
	"$WORK/whole"
}

# soname LIBRARY: and what is needed beside the C library
soname()
{
	local found
	found=$(objdump -p "$1" | awk '$1 ~ /SONAME|NEEDED/ { print $1, $2 }')
	diff <(printf '%s\n' "$found") - <<-EOF
	NEEDED libsystemd.so.0
	NEEDED libc.so.6
	SONAME libwtrack.so.1
	EOF
}

# one_seam OBJECT...: only sys.o and bus.o call other libraries, but for what
# does nothing but compute
one_seam()
{
	local all=() others=() object
	for object; do
		all+=("$object")
		[[ ${object##*/} == @(sys|bus).o ]] || others+=("$object")
	done
	diff /dev/null <(comm -23 \
		<(nm -u "${others[@]}" | awk '$1 == "U" { print $2 }' |
			grep -vxE 'mem(cpy|set|cmp|move)|strn?cmp|strlen|snprintf' |
			grep -vE '^(_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$' |
			sort -u) \
		<(nm --defined-only "${all[@]}" | awk 'NF == 3 { print $3 }' |
			sort -u))
}

header_errnos()
{
	sed -n 's/^ \*\t\(E[A-Z0-9]*\)\t.*/\1/p' "$UAPI/linux/kvm_wtrack.h"
	sed -n 's/^ \*\t\(-E.*\)/\1/p' "$PUBLIC"/wtrack/*.h |
		sed 's/\t.*//' | grep -oE 'E[A-Z0-9]+'
}

# errno_texts LIBRARY ERRNO...: each has a text of its own
errno_texts()
{
	local library=$1
	shift
	{
		printf '#include <errno.h>\n#include <stdio.h>\n'
		printf '#include <wtrack/error.h>\nint main(void)\n{\n'
		printf '\tputs(wtrack_strerror(99999));\n'
		printf '\tputs(wtrack_strerror(-%s));\n' "$@"
		printf '\treturn 0;\n}\n'
	} >"$WORK/errno.c"
	"${CC:-cc}" -I"$PUBLIC" -o "$WORK/errno" "$WORK/errno.c" "$library"
	"$WORK/errno" | sort | uniq -d | diff /dev/null -
}

# installed MAKE-ARGUMENT...: what is installed is enough for a program
installed()
{
	local dest=$WORK/dest flags lang out
	rm -rf "$dest"
	make -s -C "$TOP/libwtrack" install BUILD="$BUILD" DESTDIR="$dest" \
		PREFIX=/usr LIBDIR=/usr/lib/test
	export PKG_CONFIG_SYSROOT_DIR=$dest
	export PKG_CONFIG_LIBDIR=$dest/usr/lib/test/pkgconfig
	flags=$(pkg-config --cflags --libs libwtrack)
	out=$WORK/consumer
	for lang in c c++; do
		# shellcheck disable=SC2086 # flags are words
		"${CC:-cc}" -x "$lang" "$SRC/consumer.c" -x none $flags \
			-o "$out"
		LD_LIBRARY_PATH=$dest/usr/lib/test "$out"
		"${CC:-cc}" -x "$lang" "$SRC/consumer.c" -x none \
			-I"$dest/usr/include" "$dest/usr/lib/test/libwtrack.a" \
			-o "$out"
		"$out"
		"${CC:-cc}" -x "$lang" -Wall -Wextra -Werror -fsyntax-only \
			-I"$dest/usr/include" -include linux/kvm_wtrack.h \
			-include linux/kvm_wtrack_genl.h /dev/null
	done
}

# alone COMMAND...: in a shell of its own, where any failure counts
alone()
{
	bash -c 'set -euo pipefail; . "$TOP/tests/abi/checks.sh"; "$@"' \
		alone "$@" 2>&1
}

must_fail()
{
	if alone "$@" >/dev/null; then
		printf 'was not noticed\n'
		return 1
	fi
}
