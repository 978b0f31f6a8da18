#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh KERNEL
#
# Builds Debian 12's packages and tries them, and DKMS, in Debian 12s of their
# own, and then in the systemd host on KERNEL, 6.12 or 6.1.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/tap.sh"

kernel=${1:?usage: run.sh KERNEL}

# in_root NAME ROOT [ARGUMENT]...: NAME-in-root as a program that prints TAP
in_root()
{
	local name=$1 tar=$root/$2.tar status=0 start=$SECONDS
	shift 2
	say TEST "$name"
	echo "@@ begin $name"
	"$TOP/tests/packages/chroot.sh" "$tar" "$BUILD/packages" \
		bash "/mnt/tests/$name-in-root" "$@" </dev/null || status=$?
	echo "@@ end $name $status $((SECONDS - start))"
}

all()
{
	in_root debs build
	in_root dkms build "$(<"$root/release-6.1")" \
		"$(<"$root/release-6.12")" "$(<"$root/release-cloud")" \
		"$(<"$root/release-rt")"
	in_root fresh fresh "$(basename "$root")"
	in_root prebuilt build "$(<"$directory/release")" "$directory/headers"
}

directory=$("$HOST/kernel.sh" "$kernel")
root=$("$TOP/tests/packages/root.sh")
start=$SECONDS
if "$TOP/tests/packages/build.sh" "$BUILD/deb"; then
	tap_read < <(all)
else
	tap_fail build "no packages"
fi
result_add packages "$TAP_PASSED" "$TAP_FAILED"
say DONE "packages: $(tap_sum)" \
	"($((SECONDS - start)) s)"
[ "$TAP_FAILED" = 0 ]
"$TOP/tests/system/host/run.sh" --packages "$kernel"
