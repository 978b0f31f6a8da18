#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: checkpatch.sh
#
# Prints the directory where the kernel's checkpatch.pl is, with the lists that
# it reads, and kernel-doc. Only the source package of the debug kernel has them.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/kernels.sh"
. "$TOP/tests/lib/cache.sh"

series=6.12
inside=linux-source-$series

fetch()
{
	local source
	apt_refresh
	source=$(kernel_source)
	say FETCH "source of Linux ${source#*=}, about 150 MB"
	cache_debs_fetch "$source"
}

unpack()
{
	say UNPACK "checkpatch.pl and kernel-doc of Linux $series"
	cache_root_start
	dpkg-deb --fsys-tarfile "$CACHE_ENTRY"/debs/*.deb |
		tar -xO "./usr/src/$inside.tar.xz" |
		tar -xJ --strip-components=2 -C "$CACHE_ROOT" \
			"$inside/scripts/"{checkpatch.pl,spelling.txt,kernel-doc} \
			"$inside/scripts/const_structs.checkpatch"
	cache_root_seal
}

kernel_name "$series"
cache_open "debug-$series" "$KERNEL_RELEASE $KERNEL_PARTS"
cache_debs_valid || fetch
cache_root "$0"
cache_root_valid || unpack
cache_close
echo "$CACHE_ROOT"
