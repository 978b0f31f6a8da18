#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The whole demonstration, from a machine that has nothing. Asks nothing; its
# exit status, and the part "demo" of the results file, tell whether the
# account added up.
set -euo pipefail
. "$(dirname "$0")/../../tests/lib/common.sh"

DEMO=$TOP/examples/demo
OUT=$BUILD/demo
ticker=

start_ticker()
{
	local seconds=0
	while sleep 5 >/dev/null 2>&1; do
		seconds=$((seconds + 5))
		say "" "... $seconds s"
	done &
	ticker=$!
}

stop_ticker()
{
	[ -z "$ticker" ] || kill "$ticker" 2>/dev/null || true
	ticker=
}

# step TEXT COMMAND...: what is printed to stdout comes out again
step()
{
	say DEMO "$1"
	shift
	start_ticker
	"$@"
	stop_ticker
}

build()
{
	local dir
	for dir in libwtrack examples/demo; do
		run_logged "$BUILD/log/demo-${dir##*/}" \
			make --no-print-directory -C "$TOP/$dir" || return
	done
}

trap stop_ticker EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p "$OUT"
step "what the machine needs; installing it takes a minute or two" \
	"$HOST/packages.sh" demo
step "a stock Linux 6.12; takes a minute the first time" \
	"$HOST/kernel.sh" 6.12 >"$OUT/kernel"
kernel=$(cat "$OUT/kernel")
step "the module, 10 s" "$HOST/module.sh" "$kernel" "$BUILD/6.12"
step "libwtrack, the watcher, and the guest's program, 5 s" build
step "an unmodified QEMU for the emulated host, 1 s" \
	"$HOST/qemu-tree.sh" "$OUT/qemu"
say DEMO "an emulated AMD host boots and starts a VM; all of it takes a minute"
# Its clock counts instructions: neither the guest's timers nor the time limits
# depend on how busy this machine is.
exec "$HOST/run.sh" --icount --limit 60 --work 1200 --part demo \
	--copy "$OUT/qemu:/" --copy "$OUT/watch:/demo/watch" \
	--copy "$OUT/guest.cpio:/demo/guest.cpio" \
	--copy "$kernel/vmlinuz:/demo/vmlinuz" \
	--copy "$DEMO/host.sh:/programs/demo" --dir programs 6.12 nested
