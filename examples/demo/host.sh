#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Runs in the emulated host, as a test: starts the VM, waits until its guest
# has announced a page, and sets the watcher on it.
set -eu

dir=/run/demo
mkdir -p $dir
cd $dir

# Without kvm-pv-eoi each interrupt handler begins with an exit of the VM. QEMU
# 7.2, when it emulates SVM, may deliver an injected interrupt once more as long
# as none has followed, even to a handler that holds a lock. And what CPUID says
# of XSAVE is not right in a guest of it, and Linux complains.
start_vm()
{
	echo "QEMU, unmodified, starts a guest with Linux $(uname -r)"
	qemu-system-x86_64 -accel kvm -M q35 -m 256 \
		-cpu host,kvm-pv-eoi=off,xsave=off \
		-kernel /demo/vmlinuz -initrd /demo/guest.cpio \
		-append "console=ttyS0 panic=-1" -nic none -no-reboot \
		-display none -monitor none -serial chardev:console -chardev \
		socket,id=console,path=console,server=on,wait=off,logfile=log \
		</dev/null >qemu.log 2>&1 &
	vmm=$!
	trap 'kill $vmm 2>/dev/null && wait $vmm || true' EXIT
}

# The last whole line of the guest's console, without its time.
last_line()
{
	tail -n 2 log 2>/dev/null | tr -d '\r' | head -n 1 |
		sed 's/^\[[^]]*\] //' | cut -c 1-52
}

vm_died()
{
	cat qemu.log log
	echo "the VM ended early"
	exit 1
}

# The emulated clock runs slower than the real one: half a second is long.
wait_for_page()
{
	local line
	until grep -q "^demo: page .*$(printf '\r')" log 2>/dev/null; do
		kill -0 $vmm 2>/dev/null || vm_died
		line=$(last_line)
		echo "guest boots: ${line:-firmware, unpacking the kernel}"
		sleep 0.5
	done
}

start_vm
wait_for_page
page=$(grep "^demo: page" log | tr -d '\r')
echo "guest says \"$page\""
# shellcheck disable=SC2086 # its words
set -- $page
/demo/watch $vmm "$4" "$6" console
wait $vmm
trap - EXIT
