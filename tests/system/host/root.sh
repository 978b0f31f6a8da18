#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: root.sh
#
# Makes the file system of a Debian 12 with systemd, D-Bus, polkit, QEMU and
# the tools of the tests, once, and prints the image's name. The image is only
# ever read: what this tree builds comes in when the host boots.
set -euo pipefail
. "$(dirname "$0")/../../lib/common.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/cache.sh"
. "$TOP/tests/lib/repository.sh"

PACKAGES="usr-is-merged systemd systemd-sysv systemd-container dbus polkitd
	udev kmod libnl-3-200 libnl-genl-3-200 libjson-c5 libncursesw6 libzstd1
	procps iproute2 qemu-system-x86 jq tmux socat curl
	bash-completion zsh ncurses-term default-dbus-system-bus dkms python3
	prometheus-node-exporter"
SIZE=2000M

fetch()
{
	local closure
	apt_refresh
	# shellcheck disable=SC2086 # they are words
	closure=$(apt_closure '?essential' $PACKAGES)
	say FETCH "a Debian 12 with systemd and QEMU, about 150 MB"
	# shellcheck disable=SC2086
	cache_debs_fetch $closure
}

# Whoever makes it, its files belong to the users of that system. What is
# mounted in it while its packages are installed is not wanted.
build()
{
	say ROOT "a Debian 12 with systemd and QEMU, takes a minute or two"
	cache_root_start
	repository=$(mktemp -d)
	trap 'rm -rf "$repository"' EXIT
	chmod 755 "$repository"
	repository_make "$repository"
	# shellcheck disable=SC2016 # the hook's shell's
	IMAGE="$CACHE_ROOT/root.ext4" SIZE=$SIZE \
	run_logged "$CACHE/log/system-root" mmdebstrap \
		--variant=essential --mode="$mode" --format=null \
		--include="$PACKAGES" \
		--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--skip=check/empty \
		--customize-hook='rm -r "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*
			mount --bind "$1" "$1/mnt"
			mke2fs -q -F -t ext4 -d "$1/mnt" -E lazy_itable_init=1 \
				"$IMAGE" "$SIZE"
			umount "$1/mnt"' \
		bookworm /dev/null "deb [trusted=yes] copy:$repository ./"
	cache_root_seal
}

mode=unshare
[ "$(id -u)" != 0 ] || mode=root
cache_open system-bookworm "$PACKAGES"
cache_debs_valid || fetch
cache_root "$0"
cache_root_valid || build
cache_close
echo "$CACHE_ROOT/root.ext4"
