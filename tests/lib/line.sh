# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What emulated hosts have on their kernels' command line. Sourced.
# shellcheck disable=SC2034 # for those who source it

HOST_LINE="console=ttyS0 log_buf_len=4M panic=-1"
# A processor that waits for its turn in the emulator seems to be stuck: more than a
# minute of the clock was seen on the debug kernel.
HOST_LINE+=" rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=30"
HOST_LINE+=" workqueue.watchdog_thresh=120 no_timer_check"

# QEMU 7.2 does not have the flags up to date when it emulates cmpxchg16b, which
# keeps them: an interrupt that follows may find any of them set. Linux uses it
# wherever it allocates, and dies of that now and then. Without the bit
# neither the host nor its guests do; a test that has the instruction in its own
# code still can.
HOST_LINE_QEMU="loglevel=7 clearcpuid=cx16"
