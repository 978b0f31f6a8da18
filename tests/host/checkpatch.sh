#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: checkpatch.sh
#
# Prints the directory where the kernel's checkpatch.pl is, with the lists that
# it reads. Only the source package has them, the one of the debug kernel.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/cache.sh"

series=6.12
inside=linux-source-$series

fetch()
{
	local version
	apt_refresh
	version=$(apt_kernel_version "$series")
	say FETCH "source of Linux $version, about 150 MB"
	cache_debs_fetch "linux-source-$series=$version"
}

unpack()
{
	say UNPACK "checkpatch.pl of Linux $series"
	cache_root_start
	dpkg-deb --fsys-tarfile "$CACHE_ENTRY"/debs/*.deb |
		tar -xO "./usr/src/$inside.tar.xz" |
		tar -xJ --strip-components=2 -C "$CACHE_ROOT" \
			"$inside/scripts/"{checkpatch.pl,spelling.txt} \
			"$inside/scripts/const_structs.checkpatch"
	cache_root_seal
}

cache_open "debug-$series"
cache_debs_valid || fetch
cache_root "$0"
cache_root_valid || unpack
cache_close
echo "$CACHE_ROOT"
