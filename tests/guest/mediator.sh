#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The shadow page table of examples/mediator equals the guest's at each
# doorbell: with a ring of the usual size, with one that is too small on
# purpose, with a coalescing session, and with pages that are disarmed again and
# again.
edits=20000
# All of them where it is quickest; with lockdep it takes several times as long.
case $(uname -r)$(cat /sys/module/kvm_amd/parameters/npt 2>/dev/null) in
*debug*) edits=3000 ;;
6.12*[Y1]) edits=100000 ;;
esac
exec /lib/mediator --tap --edits "$edits"
