#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Runs in the emulated host: a stock guest under an unmodified QEMU.
#
# Only vCPUs write to this guest's memory: no device with DMA has a driver, and
# what KVM would write by itself (kvmclock, steal time and their kin) is off.
# SMM is off because KVM saves its state to guest memory. The kernel and its
# initramfs come through ports, which the firmware reads with string instructions
# that KVM emulates; QEMU would store them by itself otherwise.
#
# Without XSAVE, since what CPUID says of it is not right in a guest when QEMU
# 7.2 emulates SVM, and Linux complains. So the guest saves the state of x87 and
# SSE registers with fxsave64.
set -eu

mkdir -p /run/boot
cd /run/boot
paravirtual=kvmclock=off,kvm-asyncpf=off,kvm-steal-time=off,kvm-pv-eoi=off
exec /boot/follow qemu-system-x86_64 -S -accel kvm -m 256 \
	-M q35,smm=off -global fw_cfg.dma_enabled=off \
	-nodefaults -no-reboot -no-shutdown -display none \
	-cpu "host,xsave=off,$paravirtual" \
	-chardev socket,id=monitor,path=monitor,server=on,wait=off \
	-mon chardev=monitor,mode=control -chardev \
	socket,id=console,path=console,server=on,wait=off,logfile=log \
	-serial chardev:console -kernel /boot/vmlinuz -initrd /boot/guest.cpio \
	-append "earlyprintk=ttyS0 console=ttyS0 panic=-1" \
	</dev/null
