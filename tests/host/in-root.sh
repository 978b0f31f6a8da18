#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: in-root.sh ROOT DIR COMMAND...
#
# Runs COMMAND with the programs and libraries of another Debian, unpacked in
# ROOT. It sees DIR as /mnt, and nothing else of this machine but /dev and
# /proc. The mounts are gone when it ends. Who is not root needs user
# namespaces.
set -euo pipefail

root=${1:?usage: in-root.sh ROOT DIR COMMAND...}
dir=${2:?usage: in-root.sh ROOT DIR COMMAND...}
shift 2

user=()
[ "$(id -u)" = 0 ] || user=(--map-root-user)
# shellcheck disable=SC2016 # the inner shell's
exec unshare "${user[@]}" --mount sh -euc '
	root=$1
	mount --rbind /dev "$root/dev"
	mount --rbind /proc "$root/proc"
	mount -t tmpfs tmpfs "$root/tmp"
	mount --bind "$2" "$root/mnt"
	shift 2
	exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin "$@"
' sh "$root" "$dir" "$@"
