# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# Which packages a kernel of the tests is: the image that a user of a Debian
# release gets, and the versions of all its parts as apt resolves them. A part
# is often newer than the image (linux-kbuild-6.1), and for hours or days after
# an upload a part of the newest image is not there at all. Needs apt.sh.

# The packages of the kernel itself, without what it shares with others.
KERNEL_PARTS='linux-(image|binary|modules|headers|kbuild)-[0-9].*'

# kernel_name NAME: sets the Debian release, the first part of the version
# (empty: any) and the flavour that NAME stands for
kernel_name()
{
	local name=$1
	KERNEL_FLAVOUR=amd64
	case $name in
	*-cloud | *-rt)
		KERNEL_FLAVOUR=${name##*-}-amd64
		name=${name%-*}
		;;
	esac
	KERNEL_RELEASE=bookworm
	KERNEL_SERIES=$name
	case $name in
	6.1 | 6.12) ;;
	6.12-trixie)
		KERNEL_RELEASE=trixie
		KERNEL_SERIES=6.12
		;;
	newest)
		KERNEL_RELEASE=trixie
		KERNEL_SERIES=
		;;
	*) die "there is no kernel $1: $KERNEL_NAMES" ;;
	esac
	apt_release "$KERNEL_RELEASE"
}
KERNEL_NAMES="6.1, 6.12, 6.12-trixie or newest, then nothing, -cloud or -rt"

# kernel_versions PATTERN: "VERSION PACKAGE" of each version of the packages
# whose name matches and whose version is of the series, the newest first
kernel_versions()
{
	local names
	mapfile -t names < <(apt_private apt-cache pkgnames linux-image- |
		grep -xE "$1")
	[ ${#names[@]} -gt 0 ] || return 0
	apt_private apt-cache madison "${names[@]}" |
		awk -F ' *[|] *' -v p="${KERNEL_SERIES:+$KERNEL_SERIES.}" '
			substr($2, 1, length(p)) == p {
				sub(/^ */, "", $1)
				print $2, $1
			}' | sort -u | sort -rV
}

# kernel_images: "VERSION PACKAGE" of the images of the series: the one that the
# newest metapackage brings, as a user gets it, then all of them, the newest first
kernel_images()
{
	local version meta image
	read -r version meta < <(kernel_versions \
		"linux-image-(${KERNEL_SERIES//./\\.}-)?$KERNEL_FLAVOUR") &&
		image=$(apt_depends "$meta" "$version" \
			"linux-image-[0-9].*-$KERNEL_FLAVOUR") &&
		echo "$version $image"
	kernel_versions "linux-image-[0-9]+\.[0-9]+\.[^-]+(-[0-9]+)?-$KERNEL_FLAVOUR"
}

# kernel_closure PACKAGE=VERSION...: as apt_closure, also if a part is such that
# only backports have it
kernel_closure()
{
	apt_closure "$@" 2>/dev/null ||
		apt_closure -t "$APT_RELEASE-backports" "$@" 2>/dev/null
}

# kernel_find: sets KERNEL_VERSION, KERNEL_IMAGE, KERNEL_HEADERS and, with a
# version each, KERNEL_PACKAGES, of the first image that has all of its parts
kernel_find()
{
	local version image headers closure
	while read -r version image; do
		headers=linux-headers-${image#linux-image-}
		closure=$(kernel_closure {"$image","$headers"}="$version") ||
			continue
		mapfile -t KERNEL_PACKAGES < <(grep -E "^$KERNEL_PARTS=" <<<"$closure")
		KERNEL_VERSION=$version
		KERNEL_IMAGE=$image
		KERNEL_HEADERS=$headers
		return
	done < <(kernel_images)
	die "Debian $APT_RELEASE has no kernel $KERNEL_SERIES of which all" \
		"parts are there"
}

# kernel_source: PACKAGE=VERSION of the source of the kernel that kernel_find
# finds, or the newest of its series
kernel_source()
{
	local package=linux-source-$KERNEL_SERIES version
	kernel_find
	version=$(apt_newest "$package" "$KERNEL_VERSION")
	[ "$version" = "$KERNEL_VERSION" ] ||
		version=$(apt_newest "$package" "$KERNEL_SERIES.")
	[ -n "$version" ] || die "Debian $APT_RELEASE has no $package"
	echo "$package=$version"
}
