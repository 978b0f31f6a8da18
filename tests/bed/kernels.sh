# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Which packages tests/lib/kernels.sh finds in archives that are made up. Each
# check begins with archives in which all is as it should be, and takes away or
# adds what its name says. Needs no network. Sourced by run.sh.

ARCHIVE=$WORK/archive

# package SUITE NAME VERSION [DEPENDS]
package()
{
	local dir=$ARCHIVE/dists/$1/main/binary-amd64
	mkdir -p "$dir"
	printf '%s\n' "Package: $2" "Version: $3" "Architecture: amd64" \
		"Maintainer: nobody" "Description: none" ${4:+"Depends: $4"} \
		"Filename: $2_$3.deb" "Size: 1" \
		"SHA256: $(printf '%064d' 0)" '' >>"$dir/Packages"
}

# without SUITE NAME [VERSION]: takes a package away
without()
{
	local file=$ARCHIVE/dists/$1/main/binary-amd64/Packages
	awk -v RS= -v ORS='\n\n' -v name="Package: $2" -v version="Version: ${3:-}" '
		{ split($0, line, "\n") }
		line[1] == name && (version == "Version: " ||
				    line[2] == version) { next }
		{ print }' "$file" >"$file.new"
	mv "$file.new" "$file"
}

# image SUITE RELEASE FLAVOUR VERSION KBUILD: of one package
image()
{
	package "$1" "linux-image-$2-$3" "$4" "kmod, linux-base (>= 4.3~)"
	package "$1" "linux-image-$2-$3-unsigned" "$4" kmod
	package "$1" "linux-headers-$2-$3" "$4" \
		"linux-headers-$2-common (= $4), $5, gcc-12"
	package "$1" "linux-headers-$2-common" "$4"
}

# meta SUITE NAME RELEASE FLAVOUR VERSION
meta()
{
	package "$1" "linux-image-$2" "$5" "linux-image-$3-$4 (= $5)"
	package "$1" "linux-headers-$2" "$5" "linux-headers-$3-$4 (= $5)"
}

bookworm()
{
	local kbuild="linux-kbuild-6.1 (>= 6.1.192-2)" new=6.12.117-1~deb12u1
	package bookworm kmod 30
	package bookworm gcc-12 12.2
	package bookworm linux-base 4.9
	image bookworm 6.1.0-9 amd64 6.1.176-1 "linux-kbuild-6.1 (>= 6.1.176-1)"
	meta bookworm amd64 6.1.0-9 amd64 6.1.176-1
	package bookworm linux-kbuild-6.1 6.1.176-1
	image bookworm-security 6.1.0-55 amd64 6.1.192-1 \
		"linux-kbuild-6.1 (>= 6.1.192-1)"
	image bookworm-security 6.1.0-56 amd64 6.1.192-2 "$kbuild"
	image bookworm-security 6.1.0-56 cloud-amd64 6.1.192-2 "$kbuild"
	image bookworm-security 6.1.0-56 rt-amd64 6.1.192-2 "$kbuild"
	meta bookworm-security amd64 6.1.0-56 amd64 6.1.192-2
	meta bookworm-security cloud-amd64 6.1.0-56 cloud-amd64 6.1.192-2
	meta bookworm-security rt-amd64 6.1.0-56 rt-amd64 6.1.192-2
	package bookworm-security linux-kbuild-6.1 6.1.192-3
	package bookworm-security linux-source-6.1 6.1.192-3
	package bookworm-security linux-source-6.1 6.1.192-2
	image bookworm-security 6.12.117+deb12 amd64 $new \
		"linux-kbuild-6.12.117+deb12"
	meta bookworm-security 6.12-amd64 6.12.117+deb12 amd64 $new
	package bookworm-security linux-kbuild-6.12.117+deb12 $new
	package bookworm-security linux-source-6.12 $new
	image bookworm-backports 6.12.95+deb12 amd64 6.12.95-1~bpo12+1 \
		"linux-kbuild-6.12.95+deb12"
	meta bookworm-backports amd64 6.12.95+deb12 amd64 6.12.95-1~bpo12+1
	package bookworm-backports linux-kbuild-6.12.95+deb12 6.12.95-1~bpo12+1
	package bookworm-backports linux-source-6.12 6.12.95-1~bpo12+1
}

# From 7.0 on an image is several packages, one of which wants what only
# backports have.
trixie()
{
	local v=7.3.4-1~bpo13+1 r=7.3.4+deb13
	package trixie kmod 34
	package trixie gcc-14 14.2
	package trixie linux-base 4.12
	image trixie-security 6.12.118+deb13 amd64 6.12.118-1 \
		"linux-kbuild-6.12.118+deb13"
	sed -i 's/gcc-12/gcc-14/' \
		"$ARCHIVE/dists/trixie-security/main/binary-amd64/Packages"
	meta trixie-security amd64 6.12.118+deb13 amd64 6.12.118-1
	package trixie-security linux-kbuild-6.12.118+deb13 6.12.118-1
	package trixie-backports linux-base 4.17
	package trixie-backports linux-image-$r-amd64 $v \
		"linux-binary-$r-amd64 (= $v), linux-modules-$r-amd64 (= $v), linux-base (>= 4.17~)"
	package trixie-backports linux-binary-$r-amd64 $v
	package trixie-backports linux-modules-$r-amd64 $v
	package trixie-backports linux-headers-$r-amd64 $v \
		"linux-headers-$r-common (= $v), linux-kbuild-$r, gcc-14"
	package trixie-backports linux-headers-$r-common $v
	package trixie-backports linux-kbuild-$r $v
	meta trixie-backports amd64 $r amd64 $v
}

# Suites that are not there yet are empty. apt prefers backports to nothing.
release_file()
{
	local dir=$ARCHIVE/dists/$1
	mkdir -p "$dir/main/binary-amd64"
	touch "$dir/main/binary-amd64/Packages"
	{
		printf 'Suite: %s\nCodename: %s\nComponents: main\n' "$1" "$1"
		printf 'Architectures: amd64\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n'
		[ "$1" = "${1%-backports}" ] ||
			printf 'NotAutomatic: yes\nButAutomaticUpgrades: yes\n'
		printf 'SHA256:\n %s %s main/binary-amd64/Packages\n' \
			"$(sha256sum <"$dir/main/binary-amd64/Packages" |
				cut -d' ' -f1)" \
			"$(stat -c %s "$dir/main/binary-amd64/Packages")"
	} >"$dir/Release"
}

# finds NAME PACKAGE=VERSION...: what is found for the kernel NAME
finds()
{
	local name=$1 suite
	shift
	kernel_name "$name"
	rm -rf "$APT_DIR"
	mkdir -p "$APT_DIR"/{state,lists/partial,cache/archives/partial}
	for suite in "$APT_RELEASE"{,-security,-backports}; do
		release_file "$suite"
		echo "deb [trusted=yes] copy:$ARCHIVE $suite main"
	done >"$APT_DIR/sources.list"
	if_it_fails apt_private apt-get update || return
	kernel_find || return
	diff <(printf '%s\n' "$@" | sort) \
		<(printf '%s\n' "${KERNEL_PACKAGES[@]}" | sort)
}

# is_source NAME PACKAGE=VERSION
is_source()
{
	local found
	finds "$1" >"$WORK/found" 2>&1
	found=$(kernel_source) || return
	[ "$found" = "$2" ] || echo "$found"
}

says_there_is_none()
{
	local text
	text=$(finds "$1" 2>&1) && echo "it found one"
	[ "$text" = "run.sh: Debian $2 has no kernel $3 of which all parts are there" ] ||
		echo "$text"
}

# parts RELEASE FLAVOUR VERSION KBUILD[=VERSION]: of a kernel of four packages
parts()
{
	local kbuild=$4
	[ "$kbuild" != "${kbuild#*=}" ] || kbuild+="=$3"
	echo "linux-image-$1-$2=$3 linux-headers-$1-$2=$3" \
		"linux-headers-$1-common=$3 linux-kbuild-$kbuild"
}

# with_archives COMMAND...
with_archives()
{
	rm -rf "$ARCHIVE"
	bookworm
	trixie
	"$@"
}

# after COMMAND... -- COMMAND...: the second one, when the first one has changed
# the archives
after()
{
	local first=()
	while [ "$1" != -- ]; do
		first+=("$1")
		shift
	done
	shift
	"${first[@]}"
	"$@"
}

added()
{
	image bookworm-security 6.1.0-57 amd64 6.1.193-1 linux-kbuild-6.1
}

# shellcheck disable=SC2046 # parts are words
check_kernels()
{
	local old="6.1=6.1.192-3" new=6.12.117+deb12 v=6.12.117-1~deb12u1
	local r=7.3.4+deb13 b=7.3.4-1~bpo13+1
	local get="check_archives"
	$get "kbuild may be newer than the image" finds 6.1 \
		$(parts 6.1.0-56 amd64 6.1.192-2 "$old")
	$get "6.12 is that of the security suite, not of backports" finds 6.12 \
		$(parts $new amd64 $v $new)
	$get "Debian 13's 6.12 is another one" finds 6.12-trixie \
		$(parts 6.12.118+deb13 amd64 6.12.118-1 6.12.118+deb13)
	$get "the newest is in backports, with what only they have" finds newest \
		linux-{image,binary,modules,headers}-$r-amd64=$b \
		linux-headers-$r-common=$b linux-kbuild-$r=$b
	$get "the cloud flavour is found" finds 6.1-cloud \
		$(parts 6.1.0-56 cloud-amd64 6.1.192-2 "$old")
	$get "the PREEMPT_RT flavour is found" finds 6.1-rt \
		$(parts 6.1.0-56 rt-amd64 6.1.192-2 "$old")
	$get "without headers of the newest it is the one before" \
		after without bookworm-security linux-headers-6.1.0-56-amd64 -- \
		finds 6.1 $(parts 6.1.0-55 amd64 6.1.192-1 "$old")
	$get "without their common part, too" \
		after without bookworm-security linux-headers-6.1.0-56-common -- \
		finds 6.1 $(parts 6.1.0-55 amd64 6.1.192-1 "$old")
	$get "without the image itself, too" \
		after without bookworm-security linux-image-6.1.0-56-amd64 -- \
		finds 6.1 $(parts 6.1.0-55 amd64 6.1.192-1 "$old")
	$get "with a kbuild that is too old for it, too" \
		after without bookworm-security linux-kbuild-6.1 -- \
		finds 6.1 $(parts 6.1.0-9 amd64 6.1.176-1 6.1)
	$get "without a kbuild of its own 6.12 is that of backports" \
		after without bookworm-security "linux-kbuild-$new" -- \
		finds 6.12 $(parts 6.12.95+deb12 amd64 6.12.95-1~bpo12+1 6.12.95+deb12)
	$get "without its modules the newest is the one before" \
		after without trixie-backports "linux-modules-$r-amd64" -- \
		finds newest $(parts 6.12.118+deb13 amd64 6.12.118-1 6.12.118+deb13)
	$get "an image that no metapackage brings yet is left alone" \
		after added -- finds 6.1 $(parts 6.1.0-56 amd64 6.1.192-2 "$old")
	$get "without a metapackage it is the newest image" \
		after without bookworm-security linux-image-6.12-amd64 -- \
		after without bookworm-backports linux-image-amd64 -- \
		finds 6.12 $(parts $new amd64 $v $new)
	$get "the source is of the image's version" \
		is_source 6.1 linux-source-6.1=6.1.192-2
	$get "if there is none, it is the newest of the series" \
		after without bookworm-security linux-source-6.1 6.1.192-2 -- \
		is_source 6.1 linux-source-6.1=6.1.192-3
	$get "that there is none is said" says_there_is_none 6.12-cloud bookworm 6.12
}

# check_archives NAME COMMAND...
check_archives()
{
	local name=$1
	shift
	check "$name" with_archives "$@"
}
