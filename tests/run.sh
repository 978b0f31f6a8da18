#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh [--quick]
#
# make check: what a change has to pass, two targets at a time. make
# check-matrix has the hosts that are not here. With --quick it is what says
# within minutes whether a change is on the way (make check-quick). The last
# lines are the results of the parts, the failures, and the sum.
set -uo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/jobs.sh"

PARTS=(bed unit-plain unit-asan unit-tsan abi ctl man python style install docs
	packages packages-host-6.12 system-6.12 demo bench-cost
	host-6.12-nested host-6.1-shadow host-newest-nested host-debug-nested
	host-6.12-intel-nested host-newest-intel-shadow
	host-6.12-trixie-nested
	host-6.12-cloud-nested host-6.1-cloud-nested host-6.1-cloud-shadow
	boot-6.1-nested)

# What takes long first. The debug kernel is built the first time: it does
# without the guard's classes of instructions, which are the same path over and
# over, and without what is about sizes, an ordinary kernel's stores or the library.
# Each way of paging has all of the cases once, on another kernel each; on the
# newest one the guard's are what differs. Bochs takes a minute to be up, and has
# little more to do.
jobs()
{
	local intel="attach guard_event guard_integer region store"
	cat <<-JOBS
	check-debug TESTS='!(g*|memory|native|libwtrack*) guard_[bflnruw]*'
	check-system
	check-boot KERNEL=6.1 PAGING=nested
	check-packages
	check-host KERNEL=6.12 PAGING=nested
	check-host KERNEL=6.1 PAGING=shadow
	check-host KERNEL=newest PAGING=nested TESTS='guard* attach memory_read mirror_truth once region* store sync*'
	check-host CPU=intel KERNEL=6.12 PAGING=nested TESTS='$intel'
	check-host CPU=intel KERNEL=newest PAGING=shadow TESTS='$intel'
	check-host KERNEL=6.12-trixie PAGING=nested TESTS='guard_event attach region store'
	check-host KERNEL=6.12-cloud PAGING=nested
	check-host KERNEL=6.1-cloud PAGING=nested
	check-host KERNEL=6.1-cloud PAGING=shadow
	check-style
	check-unit
	demo
	bench-cost
	check-man
	check-python
	check-ctl
	check-abi
	check-install
	check-bed
	JOBS
}

QUICK_PARTS=(unit-plain abi ctl man docs host-6.12-nested)

# Of the host's programs those that are over within seconds, one for each thing
# that the module does.
quick_jobs()
{
	local programs="abi attach coalesce end fence guard_event guard_integer"
	programs+=" libwtrack memory_read overflow read region regions restrict"
	programs+=" rights sessions state store tune"
	cat <<-JOBS
	check-host KERNEL=6.12 PAGING=nested TESTS='$programs'
	check-unit VARIANT=plain
	check-man
	check-ctl
	check-abi
	JOBS
}

case ${1:-} in
--quick)
	PARTS=("${QUICK_PARTS[@]}")
	list=quick_jobs
	;;
*) list="jobs" ;;
esac
unset MAKEFLAGS MFLAGS MAKELEVEL
"$HOST/packages.sh" check || exit 1
mkdir -p "$BUILD/log"
rm -f "$RESULTS"
# Once, before two of them want it at the same time.
make -C "$TOP" --no-print-directory all || exit 1
"$HOST/guest-programs.sh" || true
jobs_run 2 < <($list)
# With what the hosts saw.
make -C "$TOP" --no-print-directory check-docs || true
echo
result_total "${PARTS[@]}"
