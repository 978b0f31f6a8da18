#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# What the tests stand on: which kernels they take, what counts as a hang, that no
# test goes by this machine's clock, and what the module's build finds out about
# a kernel. Prints TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
WORK=$BUILD/bed
rm -rf "$WORK"
mkdir -p "$WORK"
CACHE=$WORK/cache
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/check.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/kernels.sh"
. "$TOP/tests/bed/kernels.sh"
. "$TOP/tests/bed/limited.sh"
. "$TOP/tests/bed/clocks.sh"
. "$TOP/tests/bed/probes.sh"

check_kernels
check_limited
check_clocks
check_probes
check_finish bed
