#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# Checks what others build on: the kernel's header, the library's headers, its
# symbols, its documentation. Prints TAP. CC and CXX choose the compilers.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/check.sh"
. "$TOP/tests/abi/checks.sh"

# good NAME COMMAND...
good()
{
	check "$1" if_it_fails alone "${@:2}"
}

# A check that finds nothing wrong with something wrong is worth nothing.
bad()
{
	check "$1" must_fail "${@:2}"
}

make -s -C "$TOP/libwtrack" BUILD="$BUILD" >&2
make -s -C "$TOP/python" BUILD="$BUILD" >&2
mkdir -p "$WORK"/bad/{linux,type,wtrack}
so=$LIB/libwtrack.so
archive=$LIB/libwtrack.a
map=$TOP/libwtrack/libwtrack.map
headers=("$PUBLIC"/wtrack/*.h)

good "kernel header compiles alone as C99" c_uapi -std=c99
good "kernel header compiles alone as gnu11" c_uapi -std=gnu11
good "kernel header compiles alone as C++11" cxx_uapi -std=c++11
good "kernel header is the same for 32 bits, C" m32_uapi c_uapi -std=gnu11
good "kernel header is the same for 32 bits, C++" m32_uapi cxx_uapi -std=c++11
good "kernel header: everything is pinned" all_pinned kvm_wtrack_ \
	"$SRC/uapi_layout.c" "$UAPI/linux/kvm_wtrack.h"
good "netlink header: every number is pinned" all_numbered \
	"$SRC/genl_layout.c" "$UAPI/linux/kvm_wtrack_genl.h"

good "library headers compile alone as C99" \
	public_headers "${CC:-cc}" c -std=c99
good "library headers compile alone as C++11" \
	public_headers "${CXX:-c++}" c++ -std=c++11
good "library headers are the same for 32 bits" \
	public_headers "${CC:-cc}" c -std=c99 -m32 -ffreestanding
good "library headers include standard headers only" \
	only_standard_headers "$PUBLIC"
good "library headers: everything is pinned" all_pinned wtrack_ \
	"$SRC/public_layout.c" "${headers[@]}"

good "library has all functions that were released, as they were" \
	functions_pinned "$so" "$SRC/public_functions.c" "$PUBLIC"
good "library exports what its map and its headers say" \
	same_symbols "$so" "$map" "$PUBLIC"
good "every exported symbol has a version" versioned "$so"
good "every exported symbol is documented" documented "$so" "${headers[@]}"
good "library has its name and needs no more than it should" soname "$so"
good "the static library has no names but its own" own_names "$archive"
good "a VMM with names like those inside links with it and runs" \
	links_whole "$archive" "$SRC/vmm.c"
good "the Python extension exports nothing but its start" exports_only \
	PyInit__wtrack "$BUILD/python/wtrack/_wtrack.abi3.so"
good "only sys.c and bus.c call others" one_seam "$LIB"/*.o
mapfile -t errnos < <(header_errnos | sort -u)
good "every errno of the headers has a text" errno_texts "$archive" \
	"${errnos[@]}"
good "a program builds and runs with what is installed" installed

# The same checks on something wrong.
sed 's/out_more;/out_rest;/' "$UAPI/linux/kvm_wtrack.h" >"$WORK/bad/field.h"
sed '/wtrack_session_add;/d' "$map" >"$WORK/bad/map"
cp "${headers[@]}" "$WORK/bad/wtrack/"
sed -i 's/ \* @nr_ranges:/ * @nr:/' "$WORK/bad/wtrack/range.h"
sed -i 's/stdint\.h/sys\/types.h/' "$WORK/bad/wtrack/info.h"
sed '/^int wtrack_get_info/d' "$PUBLIC/wtrack/info.h" >"$WORK/bad/info.h"
"${CC:-cc}" -I"$PUBLIC" -c -o "$WORK/bad/consumer.o" "$SRC/consumer.c"
sed '/^\tKVM_WTRACK_A_GFN,/d' "$UAPI/linux/kvm_wtrack_genl.h" \
	>"$WORK/bad/linux/kvm_wtrack_genl.h"
cp -r "$PUBLIC/wtrack" "$WORK/bad/type/"
sed -i 's/nr_ranges, *$/nr_ranges, int more,/' "$WORK/bad/type/wtrack/range.h"
sed '/wtrack_session_wait,/,/;/d' "$SRC/public_functions.c" \
	>"$WORK/bad/functions.c"
bad "an attribute that was taken out is found" compile_layout \
	"$SRC/genl_layout.c" "$WORK/bad"
bad "a function of another type is found" functions_pinned "$so" \
	"$SRC/public_functions.c" "$WORK/bad/type"
bad "a function that was never released is found" functions_pinned "$so" \
	"$WORK/bad/functions.c" "$PUBLIC"
bad "a renamed field is found" all_pinned kvm_wtrack_ \
	"$SRC/uapi_layout.c" "$WORK/bad/field.h"
bad "a symbol that is not in the map is found" \
	same_symbols "$so" "$WORK/bad/map" "$PUBLIC"
bad "an undocumented parameter is found" \
	documented "$so" "$WORK/bad"/wtrack/*.h
bad "an undocumented function is found" \
	documented "$so" "$WORK/bad/info.h"
bad "a header that is not standard is found" \
	only_standard_headers "$WORK/bad"
bad "an errno without text is found" errno_texts "$archive" ESRCH EXDEV
bad "a name in the static library that is not its own is found" own_names \
	"$WORK/bad/consumer.o"
bad "a call outside of sys.c and bus.c is found" one_seam \
	"$LIB"/*.o "$WORK/bad/consumer.o"

check_finish abi
