# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the module's build finds in the headers of a kernel (kmod/compat), on
# kernels that have each fact and on kernels that lack it, and that it stops when
# it would find anything. Sourced by run.sh.

declare -A FACTS=(
	[6.1]="APICV_INHIBIT_SEV UNPROTECT_PAGE GUP_VMAS
		MMPUT_ASYNC FILE_IS_KVM LINEAR_RIP"
	[6.12]="WRITE_TRACK_GFN VM_TYPE VM_PROTECTION APICV_INHIBIT_SEV VM_FLAGS_SET
		FOLL_INTERRUPTIBLE MMPUT_ASYNC FILE_IS_KVM LINEAR_RIP"
	[newest]="WRITE_TRACK_GFN VM_TYPE VM_PROTECTION VM_FLAGS_SET FOLL_INTERRUPTIBLE
		HRTIMER_SETUP ARCH_RIP PAGEWALK MMPUT_ASYNC"
)

# kbuild KERNEL ARGUMENT...: goes through the module's Kbuild and makes nothing,
# so that it ends with an error where something has to be there
kbuild()
{
	local root inside run=() module=$WORK/module/kmod
	root=$("$HOST/kernel.sh" "$1")
	inside=$root/headers
	if [ -x "$root/usr/bin/make" ]; then
		run=("$HOST/in-root.sh" "$root" "$WORK/module")
		inside=/headers
		module=/mnt/kmod
	fi
	shift
	"${run[@]}" make -n -C "$inside" M="$module" KWT_FACTS=1 "$@" modules 2>&1
}

# facts KERNEL ARGUMENT...
facts()
{
	{ kbuild "$@" || true; } | sed -n 's/^kwt-facts://p' | tr ' ' '\n' | grep -v '^-' |
		sort
}

# finds_facts KERNEL ARGUMENT...
finds_facts()
{
	diff <(xargs -n 1 <<<"${FACTS[$1]}" | sort) <(facts "$@")
}

# stops MESSAGE ARGUMENT...
stops()
{
	local message=$1 out
	shift
	out=$(kbuild 6.12 "$@") || true
	grep -qF "*** kvm-wtrack: $message" <<<"$out" || tail -n 3 <<<"$out"
}

# Those of the compiler's own, but it always succeeds.
make_pleased_compiler()
{
	local out compiler
	out=$(kbuild 6.12) || true
	compiler=$(grep -o '[a-z0-9_-]*gcc-[0-9]*' <<<"$out" | sort -u)
	# shellcheck disable=SC2016 # the script's own
	printf '#!/bin/sh\n%s "$@" || :\n' "$compiler" >"$WORK/cc"
	chmod +x "$WORK/cc"
}

check_probes()
{
	local kernel
	unset MAKEFLAGS MFLAGS MAKELEVEL
	mkdir -p "$WORK/module"
	cp -r "$TOP/kmod" "$TOP/include" "$WORK/module/"
	for kernel in 6.1 6.12 newest; do
		check "the build finds what Linux $kernel has" \
			finds_facts "$kernel"
		check "so it does with all warnings of Linux $kernel" \
			finds_facts "$kernel" W=2 KCFLAGS=-Werror
	done
	check "headers that do not compile stop the build" \
		stops "what all kernels have" KCFLAGS='-include /nowhere.h'
	make_pleased_compiler
	check "a compiler that takes anything stops the build" \
		stops "what no kernel has" CC="$WORK/cc"
}
