# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The packages of a cache entry as a repository, in which apt finds no others.
# Needs cache.sh.

# repository_make DIR: apt looks for the essential packages by the release
repository_make()
{
	local deb
	for deb in "$CACHE_ENTRY"/debs/*.deb; do
		dpkg-deb -f "$deb"
		printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
			"${deb##*/}" "$(stat -c %s "$deb")" \
			"$(sha256sum "$deb" | cut -d' ' -f1)"
	done >"$1/Packages"
	printf 'Codename: bookworm\nSHA256:\n %s %s Packages\n' \
		"$(sha256sum "$1/Packages" | cut -d' ' -f1)" \
		"$(stat -c %s "$1/Packages")" >"$1/Release"
	ln -sr "$CACHE_ENTRY"/debs/*.deb "$1/"
}
