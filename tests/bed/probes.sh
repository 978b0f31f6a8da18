# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the module's build finds in the headers of a kernel (kmod/compat): each fact is
# looked for in headers that have it and in headers that lack it, with other
# compilers, and with all warnings on. And that the build stops where it would
# otherwise miss a fact, or find one that is not there. Sourced by run.sh.

# Stock kernels, and headers that make_headers derives from those of 6.12, since no
# stock kernel of the tests has them: "6.8" and "6.6" are what these have and lack of
# that by which confidential guests are told, "rc" what counts a VM's users anew.
declare -A FACTS=(
	[6.1]="APICV_INHIBIT_SEV UNPROTECT_PAGE GUP_VMAS
		MMPUT_ASYNC FILE_IS_KVM LINEAR_RIP"
	[6.6]="WRITE_TRACK_GFN APICV_INHIBIT_SEV VM_FLAGS_SET
		FOLL_INTERRUPTIBLE FILE_IS_KVM LINEAR_RIP"
	[6.8]="WRITE_TRACK_GFN VM_TYPE APICV_INHIBIT_SEV VM_FLAGS_SET
		FOLL_INTERRUPTIBLE FILE_IS_KVM LINEAR_RIP"
	[6.12]="WRITE_TRACK_GFN VM_TYPE VM_PROTECTION APICV_INHIBIT_SEV VM_FLAGS_SET
		FOLL_INTERRUPTIBLE MMPUT_ASYNC FILE_IS_KVM LINEAR_RIP"
	[rc]="WRITE_TRACK_GFN VM_TYPE VM_PROTECTION APICV_INHIBIT_SEV VM_FLAGS_SET
		KVM_RC FOLL_INTERRUPTIBLE FILE_IS_KVM LINEAR_RIP"
	[newest]="WRITE_TRACK_GFN VM_TYPE VM_PROTECTION VM_FLAGS_SET
		FOLL_INTERRUPTIBLE HRTIMER_SETUP ARCH_RIP PAGEWALK MMPUT_ASYNC"
)

# kernel_root KERNEL: says something only when it fails, since others may make the
# kernel's files at the same time, and it waits for them
kernel_root()
{
	if ! "$HOST/kernel.sh" "$1" 2>"$WORK/kernel.log"; then
		cat "$WORK/kernel.log" >&2
		return 1
	fi
}

# kbuild KERNEL ARGUMENT...: goes through the module's Kbuild
kbuild()
{
	local root inside run=() module=$WORK/module/kmod
	root=$(kernel_root "$1")
	inside=$root/headers
	if [ -x "$root/usr/bin/make" ]; then
		run=("$HOST/in-root.sh" "$root" "$WORK/module")
		inside=/headers
		module=/mnt/kmod
	fi
	shift
	"${run[@]}" make -C "$inside" M="$module" "$@" 2>&1
}

# facts KERNEL ARGUMENT...: makes nothing, and so ends with an error where something
# has to be there
facts()
{
	local kernel=$1
	shift
	{ kbuild "$kernel" -n KWT_FACTS=1 "$@" modules || true; } |
		sed -n 's/^kwt-facts://p' | tr ' ' '\n' | grep -v '^-' | sort
}

# finds_facts NAME KERNEL ARGUMENT...
finds_facts()
{
	local name=$1
	shift
	diff <(xargs -n 1 <<<"${FACTS[$name]}" | sort) <(facts "$@")
}

# Of each fact there are headers that have it and headers that lack it.
facts_are_told_apart()
{
	local fact
	for fact in $(sed -nE 's/^ccflags-y.*,([A-Z_]+)\)$/\1/p' \
		"$TOP/kmod/compat/Kbuild.probe"); do
		case "$(printf '%s\n' "${FACTS[@]}" | grep -cw "$fact")" in
		0) echo "nothing has $fact" ;;
		"${#FACTS[@]}") echo "nothing lacks $fact" ;;
		esac
	done
}

# stops MESSAGE ARGUMENT...
stops()
{
	local message=$1 out
	shift
	out=$(kbuild 6.12 -n "$@" modules) || true
	[ "$(grep -cF '*** kvm-wtrack: ' <<<"$out")" = 1 ] || tail -n 5 <<<"$out"
	grep -qF "*** kvm-wtrack: $message" <<<"$out" || tail -n 5 <<<"$out"
}

# compiler NAME BEFORE AFTER: one that is called as kbuild's own is, in between
compiler()
{
	local out own
	out=$(kbuild 6.12 -n modules) || true
	own=$(grep -o '[a-z0-9_-]*gcc-[0-9]*' <<<"$out" | head -n 1)
	printf '#!/bin/sh\n%s\n%s %s\n' "$2" "$own" "$3" >"$WORK/$1"
	chmod +x "$WORK/$1"
}

# headers NAME FILE SED: changes one of 6.12's for CC=$WORK/cc-NAME
headers()
{
	local to=$WORK/headers-$1/$2 root
	root=$(kernel_root 6.12)
	mkdir -p "${to%/*}"
	[ -e "$to" ] || find "$root"/usr/src/linux-headers-*-common/{,arch/x86/}include \
		-path "*/include/$2" -exec cp {} "$to" \;
	sed -i -E "$3" "$to"
}

make_headers()
{
	local name fields='/^	bool has_(private_mem|protected_state);/d'
	local type='s/has_private_mem\)$/vm_type != KVM_X86_DEFAULT_VM)/'
	local readonly='/^#define kvm_arch_has_readonly_mem/d'
	for name in 6.8 6.6; do
		headers $name asm/kvm_host.h "$fields;$type;$readonly"
		headers $name uapi/asm/kvm.h '/KVM_X86_(SEV|SEV_ES|SNP)_VM/d'
	done
	headers 6.6 asm/kvm_host.h '/^	u8 vm_type;/d;s/\(\(kvm\)->arch.vm_type.*/false/'
	headers 6.6 uapi/asm/kvm.h '/KVM_X86_(DEFAULT|SW_PROTECTED)_VM/d'
	headers lying asm/kvm_host.h "$fields;$type;$readonly"
	headers rc linux/kvm_host.h \
		's/^struct kvm \{/&\n\tstruct kvm_refcount rc;/
		/^	refcount_t users_count;/d
		s/kvm->users_count/kvm->rc.users_count/
		/^void kvm_(get|put)_kvm\(/d'
	headers rc linux/kvm_types.h \
		's/^struct kvm;/&\n#include <linux\/refcount.h>\
		struct kvm_refcount { refcount_t users_count; };\
		static inline void kvm_get_kvm(struct kvm *kvm) { }\
		static inline void kvm_put_kvm(struct kvm *kvm) { }/'
	for name in 6.8 6.6 lying rc; do
		compiler "cc-$name" "" "-I$WORK/headers-$name $(
		)-I$WORK/headers-$name/uapi \"\$@\""
	done
	grep -v '	mmput_async	' "$(kernel_root 6.12)/headers/Module.symvers" \
		>"$WORK/symvers"
}

# takes_headers NAME: what depends on them compiles
takes_headers()
{
	if_it_fails kbuild 6.12 CC="$WORK/cc-$1" KCFLAGS=-Werror vm.o range.o vcpu.o
	kbuild 6.12 clean >/dev/null
}

refuses_lying_headers()
{
	local out
	out=$(kbuild 6.12 CC="$WORK/cc-lying" vm.o) && echo "they are taken"
	grep -q '#error "kvm-wtrack: .*confidential' <<<"$out" || tail -n 3 <<<"$out"
	kbuild 6.12 clean >/dev/null
}

check_facts()
{
	local kernel
	for kernel in 6.1 6.12 newest; do
		check "the build finds what Linux $kernel has" \
			finds_facts "$kernel" "$kernel"
		check "so it does with all warnings of Linux $kernel" \
			finds_facts "$kernel" "$kernel" W=2 KCFLAGS=-Werror
	done
	for kernel in 6.1 6.12; do
		check "so it does with clang, and all of its warnings of Linux $kernel" \
			finds_facts "$kernel" "$kernel" \
			CC="$HOST/clang.sh" W=2 KCFLAGS=-Werror
	done
	for kernel in 6.6 6.8 rc; do
		check "the build finds what the headers of $kernel have" \
			finds_facts "$kernel" 6.12 CC="$WORK/cc-$kernel" \
			kwt-symvers="$WORK/symvers"
		check "the module compiles with the headers of $kernel" \
			takes_headers "$kernel"
	done
	check "each fact is looked for where it is and where it is not" \
		facts_are_told_apart
}

check_stops()
{
	local other="compat/probes/vm_type.c has no answer"
	check "headers that do not compile stop the build" \
		stops "compat/probes/control.c has no answer" \
		KCFLAGS='-include /nowhere.h'
	compiler pleased "" '"$@" || :'
	check "a compiler that takes anything stops the build" \
		stops "what no kernel has" CC="$WORK/pleased"
	compiler strict 'for file; do :; done
	case $file in *probes/*) echo "$file:1:1: error: no"; exit 1; esac' '"$@"'
	check "a compiler that takes nothing stops the build" \
		stops "what all kernels have" CC="$WORK/strict"
	compiler broken 'case "$*" in *probes/vm_type.c) kill -9 $$; esac' '"$@"'
	check "a compiler that is killed stops the build" \
		stops "$other: the compiler fails" CC="$WORK/broken"
	compiler elsewhere 'case "$*" in
	*probes/vm_type.c) set -- "$@" -include /nowhere.h; esac' '"$@"'
	check "an error that is not a probe's own stops the build" \
		stops "$other: <command-line>: fatal error" CC="$WORK/elsewhere"
	check "a kernel that does not say what it exports stops the build" \
		stops "what KVM exports is not found" kwt-symvers=/dev/null
	check "a kernel whose confidential guests are not found is refused" \
		refuses_lying_headers
}

check_probes()
{
	unset MAKEFLAGS MFLAGS MAKELEVEL
	mkdir -p "$WORK/module"
	cp -r "$TOP/kmod" "$TOP/include" "$WORK/module/"
	make_headers
	check_facts
	check_stops
}
