# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# An entry of the cache is a directory with
#
#	debs/		the packages it is made from
#	SHA256SUMS	of the packages, written once they were all there
#	root-HASH/	what is used, made from the packages
#	manifest-HASH	every file of it with its size and time, written last
#
# HASH is that of all that decides what is made. So versions of this tree do
# not get in each other's way, and whatever does not agree with its sums or its
# manifest is made again. Needs common.sh.

# Roots that were not used for so many days go when another one is made.
CACHE_DAYS=30

cache_lock()
{
	exec 9>"$CACHE_ENTRY/$1.lock"
	if ! flock -n 9; then
		say WAIT "another process makes ${CACHE_ENTRY##*/}/$1"
		flock 9
	fi
}

# cache_open ENTRY [WORDS]: one process at a time gets the packages of an entry,
# and one makes or checks a root. Other words, as a list of packages that has
# grown, are another entry.
cache_open()
{
	CACHE_ENTRY=$CACHE/$1
	[ $# = 1 ] || CACHE_ENTRY+=-$(sha256sum <<<"$2" | cut -c 1-8)
	mkdir -p "$CACHE/log" "$CACHE_ENTRY"
	cache_lock debs
}

cache_close()
{
	touch "$CACHE_MANIFEST"
	exec 9>&-
}

cache_debs_valid()
{
	[ -s "$CACHE_ENTRY/SHA256SUMS" ] && (
		cd "$CACHE_ENTRY/debs" &&
			sha256sum --quiet --strict -c ../SHA256SUMS
	) >"$CACHE/log/sums" 2>&1
}

# cache_debs_fetch PACKAGE=VERSION...
cache_debs_fetch()
{
	rm -rf "$CACHE_ENTRY"/{debs,SHA256SUMS}
	apt_fetch "$CACHE_ENTRY/debs" "$@"
	(cd "$CACHE_ENTRY/debs" && sha256sum -- *.deb) >"$CACHE_ENTRY/SUMS.new"
	sync -f "$CACHE_ENTRY"
	mv "$CACHE_ENTRY/SUMS.new" "$CACHE_ENTRY/SHA256SUMS"
}

# cache_root FILE...: names the root that these files make of the packages
cache_root()
{
	local hash
	hash=$(cat "$@" "$CACHE_ENTRY/SHA256SUMS" | sha256sum | cut -c 1-12)
	CACHE_ROOT=$CACHE_ENTRY/root-$hash
	CACHE_MANIFEST=$CACHE_ENTRY/manifest-$hash
	cache_lock "root-$hash"
}

cache_list()
{
	(cd "$CACHE_ROOT" 2>/dev/null &&
		find . ! -type d -printf '%p %s %T@ %l\n' | sort)
}

cache_root_valid()
{
	[ -s "$CACHE_MANIFEST" ] && cache_list | cmp -s - "$CACHE_MANIFEST"
}

cache_root_start()
{
	rm -rf "$CACHE_ROOT" "$CACHE_MANIFEST"
	mkdir -p "$CACHE_ROOT"
}

cache_root_seal()
{
	local old
	sync -f "$CACHE_ROOT"
	cache_list >"$CACHE_MANIFEST.new"
	mv "$CACHE_MANIFEST.new" "$CACHE_MANIFEST"
	find "$CACHE_ENTRY" -maxdepth 1 -name 'manifest-*' \
		-mtime "+$CACHE_DAYS" | while read -r old; do
		rm -rf "$old" "${old%/*}/root-${old##*/manifest-}"{,.lock}
	done
}
