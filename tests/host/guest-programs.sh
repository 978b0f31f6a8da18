#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the programs that run in the emulated host. Hosts that are started at
# the same time share them.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

mkdir -p "$BUILD"
exec 9>"$BUILD/guest.lock"
flock 9
unset MAKEFLAGS MFLAGS MAKELEVEL
run_logged "$BUILD/log/guest" make -C "$TOP" --no-print-directory guest
