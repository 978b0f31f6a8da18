#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# What the tests stand on: which kernels they take. Prints TAP.
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

check_kernels
check_finish bed
