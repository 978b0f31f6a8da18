#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: promtool.sh
#
# Prints where Prometheus' promtool is, from Debian's package, of which nothing
# else is unpacked.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/cache.sh"

fetch()
{
	local version
	apt_refresh
	version=$(apt_newest prometheus "")
	say FETCH "promtool of Prometheus $version, about 20 MB"
	cache_debs_fetch "prometheus=$version"
}

unpack()
{
	cache_root_start
	dpkg-deb --fsys-tarfile "$CACHE_ENTRY"/debs/*.deb |
		tar -xO ./usr/bin/promtool >"$CACHE_ROOT/promtool"
	chmod +x "$CACHE_ROOT/promtool"
	cache_root_seal
}

cache_open promtool
cache_debs_valid || fetch
cache_root "$0"
cache_root_valid || unpack
cache_close
echo "$CACHE_ROOT/promtool"
