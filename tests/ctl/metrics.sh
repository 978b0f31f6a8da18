#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: metrics.sh PROGRAM
#
# Makes PROGRAM, which prints one of each metric as wtrackctl does.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

program=${1:?usage: metrics.sh PROGRAM}
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -iquote "$TOP" -iquote "$TOP/ctl" \
	-I"$TOP/include" -o "$program" "$TOP/tests/ctl/metrics.c" \
	"$TOP"/ctl/{json,mem,metrics,term,text}.c "$TOP/common/number.c" \
	-ljson-c
