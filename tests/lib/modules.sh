# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Modules of a kernel for an emulated host.

# modules_needed KERNELDIR NAME...: their files, and those that they need, in
# the order in which they can be loaded
modules_needed()
{
	local kernel=$1 name
	shift
	for name in "$@"; do
		modprobe -d "$kernel" -S "$(cat "$kernel/release")" \
			--show-depends "$name"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# module_copy FILE DIR: the emulated processor should not spend its time on
# decompression
module_copy()
{
	local from=$1 to=$2/${1##*/}
	mkdir -p "$2"
	case $from in
	*.ko.xz) xz -dc "$from" >"${to%.xz}" ;;
	*.ko.zst) zstd -qdc "$from" >"${to%.zst}" ;;
	*) cp "$from" "$to" ;;
	esac
}

# modules_copy KERNELDIR ROOT NAME...: for modprobe in ROOT
modules_copy()
{
	local kernel=$1 root=$2 release file
	shift 2
	release=$(cat "$kernel/release")
	modules_needed "$kernel" "$@" | while read -r file; do
		module_copy "$file" "$root/lib/modules/$release"
	done
	cp "$kernel/lib/modules/$release"/modules.{builtin,order} \
		"$root/lib/modules/$release/"
	depmod -b "$root" "$release" 2>/dev/null
}
