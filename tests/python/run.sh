#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# The Python package: its types, and what it does on a simulated kernel, without
# and with AddressSanitizer. Prints TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/tap.sh"

HERE=$TOP/tests/python
OUT=$BUILD/python-tests
# That of the packages that are needed, whatever else there is.
PYTHON=/usr/bin/python3
LOG=$BUILD/log/python
export PYTHONDONTWRITEBYTECODE=1
unset PYTHONPATH PYTHONHOME LD_LIBRARY_PATH

nr=0

# check NAME COMMAND...
check()
{
	local ok=ok
	nr=$((nr + 1))
	"${@:2}" >"$LOG/check" 2>&1 || ok="not ok"
	echo "$ok $nr - $1"
	[ "$ok" = ok ] || sed 's/^/# /' "$LOG/check"
}

strictly()
{
	MYPYPATH=$TOP/python mypy --strict --cache-dir="$OUT/mypy" "$@"
}

# stubs DIR: those in the package there
stubs()
{
	cd "$OUT" && LD_LIBRARY_PATH=$OUT/plain PYTHONPATH=$OUT/plain \
		MYPYPATH=$1 stubtest wtrack._wtrack
}

# It is no check when it finds nothing.
wrong_stub_is_found()
{
	local wrong=$OUT/wrong said
	rm -rf "$wrong" && cp -r "$OUT/plain" "$wrong" &&
		sed -i 's/.*def fence(self).*/&\n    def fences(self) -> int: .../' \
			"$wrong/wtrack/_wtrack.pyi" || return
	said=$(stubs "$wrong") && return 1
	grep 'Session.fences' <<<"$said"
}

installed()
{
	local dest=$OUT/dest
	local place=$dest/usr/lib/python3/dist-packages
	rm -rf "$dest" &&
		make -s -C "$TOP/python" install DESTDIR="$dest" PREFIX=/usr &&
		cd / && LD_LIBRARY_PATH=$BUILD/libwtrack PYTHONPATH=$place \
			"$PYTHON" -c 'import wtrack; wtrack.strerror(1)' &&
		[ -e "$place/wtrack/py.typed" ]
}

types()
{
	check "the package is typed" strictly "$TOP/python/wtrack"
	check "so are the tests" strictly "$HERE"
	check "and the examples" strictly "$TOP"/examples/python/*.py
	check "and what runs in the systemd host" strictly \
		"$TOP"/tests/system/programs/*.py
	check "the stub is that of the extension" stubs "$TOP/python"
	check "a stub that is not is found" wrong_stub_is_found
	check "it is installed where Debian's Python looks" installed
	echo "1..$nr"
}

# run_module VARIANT MODULE
run_module()
{
	local name=python-$1/$2 log=$LOG/$1-$2 status=0 start=$SECONDS
	local environment=(LD_LIBRARY_PATH="$OUT/$1" PYTHONPATH="$OUT/$1:$HERE")
	# Python itself leaves memory at its end. Its own allocator hides
	# what is wrong.
	[ "$1" = plain ] || environment+=(PYTHONMALLOC=malloc
		LD_PRELOAD="$("${CC:-cc}" -print-file-name=libasan.so)"
		ASAN_OPTIONS=detect_leaks=0)
	"$TOP/tests/lib/limited" "${LIMIT:-300}" env "${environment[@]}" "$PYTHON" -X dev \
		"$HERE/tap.py" "$2" >"$log" 2>&1 || status=$?
	tap_begin "$name"
	tap_read <"$log"
	tap_end "$name" "$status" "$((SECONDS - start))"
}

make -C "$TOP" --no-print-directory python >&2
make -C "$HERE" --no-print-directory >&2
mkdir -p "$LOG"
tap_begin python/types
types >"$LOG/types"
tap_read <"$LOG/types"
tap_end python/types 0 0
for variant in plain asan; do
	for file in "$HERE"/test_*.py; do
		run_module "$variant" "$(basename "$file" .py)"
	done
done
result_add python "$TAP_PASSED" "$TAP_FAILED"
printf 'python: %s\n' "$(tap_sum)"
[ "$TAP_PASSED" -gt 0 ] && [ "$TAP_FAILED" = 0 ]
