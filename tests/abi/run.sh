#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# Checks what others build on: the kernel's header, the library's headers, its
# symbols, its documentation. Prints TAP. CC and CXX choose the compilers.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/abi/checks.sh"

nr=0
passed=0
failed=0

# check NAME COMMAND...
check()
{
	local name=$1 out
	shift
	nr=$((nr + 1))
	if out=$(alone "$@"); then
		passed=$((passed + 1))
		printf 'ok %d - %s\n' "$nr" "$name"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' "$nr" "$name"
		printf '%s\n' "$out" | sed 's/^/# /'
	fi
}

# A check that finds nothing wrong with something wrong is worth nothing.
check_fails()
{
	check "$1" must_fail "${@:2}"
}

make -s -C "$TOP/libwtrack" BUILD="$BUILD" >&2
mkdir -p "$WORK/bad/wtrack"
so=$LIB/libwtrack.so
archive=$LIB/libwtrack.a
map=$TOP/libwtrack/libwtrack.map
headers=("$PUBLIC"/wtrack/*.h)

check "kernel header compiles alone as C99" c_uapi -std=c99
check "kernel header compiles alone as gnu11" c_uapi -std=gnu11
check "kernel header compiles alone as C++11" cxx_uapi -std=c++11
check "kernel header is the same for 32 bits, C" m32_uapi c_uapi -std=gnu11
check "kernel header is the same for 32 bits, C++" m32_uapi cxx_uapi -std=c++11
check "kernel header: everything is pinned" all_pinned kvm_wtrack_ \
	"$SRC/uapi_layout.c" "$UAPI/linux/kvm_wtrack.h"

check "library headers compile alone as C99" \
	public_headers "${CC:-cc}" c -std=c99
check "library headers compile alone as C++11" \
	public_headers "${CXX:-c++}" c++ -std=c++11
check "library headers are the same for 32 bits" \
	public_headers "${CC:-cc}" c -std=c99 -m32 -ffreestanding
check "library headers include standard headers only" \
	only_standard_headers "$PUBLIC"
check "library headers: everything is pinned" all_pinned wtrack_ \
	"$SRC/public_layout.c" "${headers[@]}"

check "library exports what its map and its headers say" \
	same_symbols "$so" "$map" "$PUBLIC"
check "every exported symbol has a version" versioned "$so"
check "every exported symbol is documented" documented "$so" "${headers[@]}"
check "library has its name and needs no more than it should" soname "$so"
check "only sys.c and bus.c call others" one_seam "$LIB"/*.o
mapfile -t errnos < <(header_errnos | sort -u)
check "every errno of the headers has a text" errno_texts "$archive" \
	"${errnos[@]}"
check "a program builds and runs with what is installed" installed

# The same checks on something wrong.
sed 's/out_more;/out_rest;/' "$UAPI/linux/kvm_wtrack.h" >"$WORK/bad/field.h"
sed '/wtrack_session_add;/d' "$map" >"$WORK/bad/map"
cp "${headers[@]}" "$WORK/bad/wtrack/"
sed -i 's/ \* @nr_ranges:/ * @nr:/' "$WORK/bad/wtrack/range.h"
sed -i 's/stdint\.h/sys\/types.h/' "$WORK/bad/wtrack/info.h"
sed '/^int wtrack_get_info/d' "$PUBLIC/wtrack/info.h" >"$WORK/bad/info.h"
"${CC:-cc}" -I"$PUBLIC" -c -o "$WORK/bad/consumer.o" "$SRC/consumer.c"
check_fails "a renamed field is found" all_pinned kvm_wtrack_ \
	"$SRC/uapi_layout.c" "$WORK/bad/field.h"
check_fails "a symbol that is not in the map is found" \
	same_symbols "$so" "$WORK/bad/map" "$PUBLIC"
check_fails "an undocumented parameter is found" \
	documented "$so" "$WORK/bad"/wtrack/*.h
check_fails "an undocumented function is found" \
	documented "$so" "$WORK/bad/info.h"
check_fails "a header that is not standard is found" \
	only_standard_headers "$WORK/bad"
check_fails "an errno without text is found" errno_texts "$archive" ESRCH EXDEV
check_fails "a call outside of sys.c and bus.c is found" one_seam \
	"$LIB"/*.o "$WORK/bad/consumer.o"

printf '1..%d\n' "$nr"
result_add abi "$passed" "$failed"
[ "$failed" = 0 ]
