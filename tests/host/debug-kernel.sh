#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: debug-kernel.sh [6.12]
#
# Builds the source of the kernel that kernel.sh would bring, with
# debug-kernel.config, and prints the directory where it is, laid out like the
# one of kernel.sh. Done once; takes about ten minutes on two processors.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/apt.sh"
. "$TOP/tests/lib/kernels.sh"
. "$TOP/tests/lib/cache.sh"

series=${1:-6.12}
fragment=$HOST/debug-kernel.config
PROGRESS_SECONDS=15

fetch_source()
{
	local source
	apt_refresh
	source=$(kernel_source)
	say FETCH "source of Linux ${source#*=}, about 150 MB"
	cache_debs_fetch "$source"
}

unpack_source()
{
	say UNPACK "source of Linux $series"
	dpkg-deb --fsys-tarfile "$CACHE_ENTRY"/debs/*.deb |
		tar -xO "./usr/src/linux-source-$series.tar.xz" |
		tar -xJ --strip-components=1 -C "$tree"
}

# Only i915 selects the symbol; it has no prompt to ask for it.
configure()
{
	local kconfig=$tree/arch/x86/kvm/Kconfig line
	sed -i '/^config KVM_EXTERNAL_WRITE_TRACKING$/{n;s/bool.*/def_bool y/}' \
		"$kconfig"
	run_logged "$log.config" make -C "$tree" \
		KCONFIG_ALLCONFIG="$fragment" allnoconfig
	grep '^CONFIG_' "$fragment" | while read -r line; do
		case $line in
		*=n) ! grep -q "^${line%=n}=" "$tree/.config" ;;
		*) grep -qxF "$line" "$tree/.config" ;;
		esac || die "Linux $series does not take $line"
	done
}

# A line now and then, as long as process $1 is there.
show_progress()
{
	local start=$SECONDS count
	while sleep "$PROGRESS_SECONDS" && kill -0 "$1" 2>/dev/null; do
		count=$(grep -cE '^  (CC|AS|LD|AR) ' "$log" || true)
		say BUILD "$count objects in $((SECONDS - start)) s"
	done
}

compile()
{
	local maker watcher status=0
	say BUILD "Linux $series with KASAN, lockdep and kmemleak"
	unset MAKEFLAGS MFLAGS MAKELEVEL
	make -C "$tree" -j"$(nproc)" bzImage modules >"$log" 2>&1 9>&- &
	maker=$!
	show_progress $maker 9>&- &
	watcher=$!
	wait $maker || status=$?
	kill $watcher 2>/dev/null || true
	[ $status = 0 ] && return
	grep -E -B 2 -A 10 'error:|Error [0-9]' "$log" | tail -n 40 >&2
	die "the debug kernel does not build (all of it in $log)"
}

install_kernel()
{
	local release
	release=$(make -s -C "$tree" kernelrelease)
	run_logged "$log.install" make -C "$tree" \
		INSTALL_MOD_PATH="$root" modules_install
	rm -f "$root/lib/modules/$release"/{build,source}
	cp "$tree/arch/x86/boot/bzImage" "$root/vmlinuz"
	cp "$tree/System.map" "$root/"
	depmod -b "$root" "$release"
	echo "$release" >"$root/release"
}

# What a module of another tree is built from stays.
prune()
{
	local directory
	for directory in "$tree"/*/; do
		case ${directory#"$tree"/} in
		arch/ | include/ | scripts/ | tools/) ;;
		*) rm -rf "$directory" ;;
		esac
	done
	find "$tree/arch" -mindepth 1 -maxdepth 1 -type d ! -name x86 \
		-exec rm -rf {} +
	find "$tree/tools" -mindepth 1 -maxdepth 1 ! -name objtool \
		-exec rm -rf {} +
	find "$tree" -name '*.[oa]' ! -path '*/scripts/*' -delete
	find "$tree/arch" -type f -name '*.[cS]' -delete
	find "$tree" -maxdepth 1 -name 'vmlinux*' -delete
	rm -rf "$tree/arch/x86/boot"
}

build()
{
	cache_root_start
	mkdir -p "$tree"
	unpack_source
	configure
	compile
	install_kernel
	prune
	cache_root_seal
}

kernel_name "$series"
cache_open "debug-$series" "$KERNEL_RELEASE $KERNEL_PARTS"
cache_debs_valid || fetch_source
cache_root "$0" "$fragment"
root=$CACHE_ROOT
tree=$root/headers
log=$CACHE/log/debug-$series
cache_root_valid || build
cache_close
echo "$root"
