# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The emulated Intel host; sourced by run.sh. Bochs' own BIOS boots it from a
# CD. See README.md here for what was tried instead.
# shellcheck disable=SC2034,SC2154 # run.sh uses and sets them

emulator=Bochs
smp=${smp:-1}
work=${work:-10800}
[ "$icount" = 0 ] || die "--icount is for CPU=amd"
[ -z "$features" ] || die "--features is for CPU=amd"

# Instructions per second of the emulated clock: about what it really does, so
# that time limits mean what they mean elsewhere.
SPEED=100000000

# What the kernel would stumble over in this processor:
# - with one thread it says that there are several;
# - the size of a compacted XSAVE area is that of one which is not;
# - its clock is said to run at the frequency of a real one;
# - in its log of modified pages there are addresses within pages, and KVM warns
#   of each.
LINE="clearcpuid=ht,xsavec,xsaves tsc=reliable kvm_intel.pml=0"
LINE+=" tsc_early_khz=$((SPEED / 1000)) mitigations=off"

make_cd()
{
	local cd=$run/cd
	rm -rf "$cd"
	mkdir -p "$cd/isolinux"
	cp /usr/lib/ISOLINUX/isolinux.bin \
		/usr/lib/syslinux/modules/bios/ldlinux.c32 "$cd/isolinux/"
	ln "$run/initramfs" "$cd/initramfs"
	cp "$directory/vmlinuz" "$cd/"
	printf 'default host\nlabel host\nkernel /vmlinuz\nappend %s\n' \
		"initrd=/initramfs $1" >"$cd/isolinux/isolinux.cfg"
	run_logged "$run/cd.log" xorriso -as mkisofs -o "$run/cd.iso" \
		-b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
		-boot-load-size 4 -boot-info-table "$cd"
	rm -rf "$cd"
}

configure()
{
	cat <<-END
	cpu: model=corei7_skylake_x, count=$smp, ips=$SPEED
	cpu: reset_on_triple_fault=0
	memory: guest=$mem, host=$mem
	romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
	vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
	ata0-master: type=cdrom, path=$run/cd.iso, status=inserted
	boot: cdrom
	com1: enabled=1, mode=file, dev=$run/console.log
	com2: enabled=1, mode=file, dev=$run/tap.log
	display_library: term
	clock: sync=none
	log: $run/bochs.log
	panic: action=report
	error: action=ignore
	info: action=ignore
	debug: action=ignore
	END
}

# Bochs makes a terminal for the screen. Nobody has to look at it, but once it is
# full, Bochs waits until somebody does.
read_screen()
{
	local screen=
	while [ -z "$screen" ] && kill -0 "$pid"; do
		sleep 0.2
		screen=$(sed -nE 's/.*connected to screen "(.*)".*/\1/p' \
			"$run/emulator.log")
	done
	[ -z "$screen" ] ||
		sh -c 'stty raw -echo && exec cat' <"$screen" >"$run/screen.log"
}

# emulator_start LINE: in the background. It wants a terminal, and its debugger
# wants to be told to go on.
emulator_start()
{
	# Each character takes the time that it takes at 115200 baud.
	make_cd "loglevel=5 $LINE $1"
	configure >"$run/bochsrc"
	echo c >"$run/debugger"
	: >"$run/emulator.log"
	TERM=xterm "$TOP/tests/lib/limited" "$work" script -qec \
		"bochs -q -unlock -f '$run/bochsrc' -rc '$run/debugger'" \
		/dev/null </dev/null >"$run/emulator.log" 2>&1 &
	pid=$!
	read_screen 2>/dev/null &
}
