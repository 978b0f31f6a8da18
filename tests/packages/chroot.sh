#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: chroot.sh ROOT.tar DIR COMMAND...
#
# Runs COMMAND in a copy of the Debian in ROOT.tar, in memory, which is gone
# when it ends. It sees DIR as /mnt, the cache where it is and its entry as
# /srv, and no network. Who is not root needs user namespaces.
set -euo pipefail

. "$(dirname "$0")/../lib/common.sh"

tar=$(realpath "${1:?usage: chroot.sh ROOT.tar DIR COMMAND...}")
dir=$(realpath "${2:?usage: chroot.sh ROOT.tar DIR COMMAND...}")
shift 2

user=()
[ "$(id -u)" = 0 ] || user=(--map-root-user --map-auto)
# shellcheck disable=SC2016 # the inner shell's
exec unshare "${user[@]}" --mount --net --pid --fork sh -euc '
	tar=$1 dir=$2 cache=$3
	shift 3
	root=$(mktemp -d)
	mount -t tmpfs -o mode=755,size=4G tmpfs "$root"
	tar -C "$root" --numeric-owner --exclude="./dev/*" -xpf "$tar"
	mount -t tmpfs tmpfs "$root/dev"
	for name in null zero full random urandom tty; do
		touch "$root/dev/$name"
		mount --bind "/dev/$name" "$root/dev/$name"
	done
	ln -s /proc/self/fd "$root/dev/fd"
	mount -t proc proc "$root/proc"
	mount --bind "$dir" "$root/mnt"
	mount --bind "${tar%/*/*}" "$root/srv"
	mkdir -p "$root$cache"
	mount --bind "$cache" "$root$cache"
	exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
' sh "$tar" "$dir" "$CACHE" "$@"
