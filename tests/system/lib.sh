# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by every case: checks that print TAP, users, VMs.
#
#	. "$(dirname "$0")/lib.sh"
#	start_vm alice fred
#	check "alice sees hers" as_user alice wtrackctl show "$(vm_pid fred)"
#	finish

set -uo pipefail

PLACE=/usr/lib/wtrack-tests
PATH=$PLACE/bin:$PATH
VMS=/run/wtrack-vms
SCRATCH=$(mktemp -d /run/wtrack-case.XXXXXX)
# Seconds that wait_for waits; the emulated machine is slow, and may be busy.
SOON=30

tap_nr=0
tap_failed=0
vms=()
mkdir -p "$VMS"
chmod 755 "$VMS" "$SCRATCH"
trap 'leave' EXIT

# report STATUS NAME: one case of TAP
report()
{
	tap_nr=$((tap_nr + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_nr - $2"
	else
		tap_failed=1
		echo "not ok $tap_nr - $2"
	fi
}

# check NAME COMMAND...: what it printed is shown when it fails
check()
{
	local name=$1 status=0
	shift
	"$@" >"$SCRATCH/check" 2>&1 || status=$?
	report $status "$name"
	[ $status = 0 ] || {
		echo "$* -> $status"
		tail -n 30 "$SCRATCH/check"
	} | sed 's/^/# /'
	return $status
}

# check_fails NAME PATTERN COMMAND...: fails, and says something that matches
check_fails()
{
	local name=$1 pattern=$2 status=0
	shift 2
	"$@" >"$SCRATCH/check" 2>&1 && status=1
	grep -qE -- "$pattern" "$SCRATCH/check" || status=1
	report $status "$name"
	[ $status = 0 ] || {
		echo "$*: no failure that says \"$pattern\""
		tail -n 30 "$SCRATCH/check"
	} | sed 's/^/# /'
	return $status
}

# check_known REASON NAME COMMAND...: as check, but it is known to fail, for a
# reason that names the issue which will mend it. It is counted by itself, and
# reported when it passes.
check_known()
{
	local reason=$1 name=$2 status=0
	shift 2
	"$@" >"$SCRATCH/check" 2>&1 || status=$?
	tap_nr=$((tap_nr + 1))
	if [ $status = 0 ]; then
		echo "ok $tap_nr - $name # TODO $reason"
	else
		echo "not ok $tap_nr - $name # TODO $reason"
		tail -n 5 "$SCRATCH/check" | sed 's/^/# /'
	fi
}

# same WANTED SEEN: for check
same()
{
	[ "$1" = "$2" ] || { echo "wanted \"$1\", saw \"$2\""; return 1; }
}

# bail REASON: there is no sense in going on
bail()
{
	echo "Bail out! $*"
	exit 1
}

finish()
{
	echo "1..$tap_nr"
	exit $tap_failed
}

leave()
{
	local status=$? name
	for name in "${vms[@]}"; do
		stop_vm "$name"
	done
	rm -rf "$SCRATCH"
	exit $status
}

# wait_for COMMAND...: until it succeeds
wait_for()
{
	local end=$((SECONDS + SOON))
	until "$@" >"$SCRATCH/wait" 2>&1; do
		if [ $SECONDS -ge $end ]; then
			echo "waited $SOON s for: $*"
			cat "$SCRATCH/wait"
			return 1
		fi
		sleep 0.1
	done
}

# as_user USER COMMAND...: with the user's groups, and nothing else
as_user()
{
	local user=$1
	shift
	setpriv --reuid="$user" --regid="$user" --init-groups --inh-caps=-all \
		--reset-env env -C / PATH="$PATH" LC_ALL=C.UTF-8 "$@"
}

# start_vm USER NAME [PAGES [RATE [OPTION...]]]: an unmodified QEMU with the
# -name NAME whose guest, a stock Linux, stores to so many pages (1) of its
# memory RATE times a second (0, see vm_rate). Returns when it runs. Nobody
# tracks it yet, so one that hangs does so in the emulator below: it has
# another chance, see VM_CPU.
start_vm()
{
	local user=$1 name=$2 pages=${3:-1} rate=${4:-0}
	local line="console=ttyS0 panic=-1 quiet no_timer_check"
	shift $(($# < 4 ? $# : 4))
	set -- "$user" "$name" -m 128 -cpu "$VM_CPU,xsave=off" \
		-kernel "$PLACE/vmlinuz" -initrd "$PLACE/guest.cpio" \
		-append "$line ticker.pages=$pages ticker.rate=$rate" "$@"
	vm_launch "$@" || { stop_vm "$name"; vm_launch "$@"; } ||
		bail "the guest of VM $name does not run"
}

# start_bare_vm USER NAME [PAGES [RATE [OPTION...]]]: the same with a guest that
# is not a Linux but starts at once; its pages are gfn 0x8000 and following.
start_bare_vm()
{
	local user=$1 name=$2 pages=${3:-1} rate=${4:-0}
	shift $(($# < 4 ? $# : 4))
	vm_launch "$user" "$name" -m 160 -cpu "$VM_CPU" \
		-bios "$PLACE/bare.rom" "$@" ||
		bail "the guest of VM $name does not run"
	[ "$pages" = 1 ] || vm_say "$name" "pages $pages" ready >/dev/null
	[ "$rate" = 0 ] || vm_rate "$name" "$rate" >/dev/null
}

# Without kvm-pv-eoi each interrupt handler begins with an exit of the VM. QEMU
# 7.2, when it emulates SVM, may deliver an injected interrupt once more as long
# as none has followed, even to a handler that holds a lock.
VM_CPU=host,kvm-pv-eoi=off

vm_launch()
{
	local user=$1 name=$2 dir=$VMS/$2
	shift 2
	rm -rf "$dir"
	install -d -m 750 -o "$user" -g "$user" "$dir"
	vms+=("$name")
	systemd-run --quiet --collect --unit="vm-$name" --uid="$user" \
		--working-directory="$dir" \
		qemu-system-x86_64 -name "$name" -accel kvm -M q35 \
		-nodefaults -no-reboot -display none \
		-qmp unix:qmp,server=on,wait=off -serial chardev:console \
		-chardev socket,id=console,path=console,server=on,wait=off,logfile=log \
		"$@" || bail "VM $name does not start"
	wait_for test -S "$dir/console" || bail "VM $name has no console"
	# QEMU drops what it has not yet read when a client goes. What it says is read:
	# each character takes a buffer, and with some hundred of them unread the guest
	# waits for ever to say one more.
	mkfifo "$dir/in"
	socat - "UNIX-CONNECT:$dir/console" <>"$dir/in" >/dev/null &
	echo $! >"$dir/feeder"
	disown
	wait_for grep -q '^ready' "$dir/log" && return
	{
		journalctl -q --no-pager -n 20 -u "vm-$name"
		cat "$dir/log"
	} | sed 's/^/# /'
	return 1
}

# stop_vm NAME: it is gone afterwards
stop_vm()
{
	systemctl stop "vm-$1" 2>/dev/null
	[ ! -e "$VMS/$1/feeder" ] || kill "$(<"$VMS/$1/feeder")" 2>/dev/null
	rm -rf "${VMS:?}/$1"
}

vm_pid()
{
	systemctl show -P MainPID "vm-$1"
}

# vm_gfn NAME [INDEX]: of a page that the guest has announced
vm_gfn()
{
	tr -d '\r' <"$VMS/$1/log" |
		sed -n "s/^page ${2:-0} gfn //p" | tail -n 1
}

# vm_say NAME LINE PATTERN: on the guest's console; prints the line of the
# answer
vm_say()
{
	local log=$VMS/$1/log before
	before=$(wc -l <"$log")
	echo "$2" >"$VMS/$1/in"
	wait_for vm_said "$log" "$before" "$3" &&
		vm_said "$log" "$before" "$3"
}

vm_said()
{
	tail -n "+$(($2 + 1))" "$1" | grep -m 1 -E "$3"$'\r$' | tr -d '\r'
}

# vm_rate NAME RATE: stores a second; prints how many there were before
vm_rate()
{
	vm_say "$1" "rate $2" "^rate $2 after [0-9]+" | sed 's/.* //'
}

# vm_burst NAME COUNT: so many stores; prints how many there were in all
vm_burst()
{
	vm_say "$1" "burst $2" "^burst $2 after [0-9]+" | sed 's/.* //'
}

# overflow NAME READER: the guest stores more than a ring of 64 records takes
# while READER is stopped.  A reader that runs may keep up with any guest.
overflow()
{
	kill -STOP "$2"
	vm_burst "$1" 200 >/dev/null
	kill -CONT "$2"
}

# vm_qmp NAME COMMAND [ARGUMENTS]: prints what it returns, as JSON
vm_qmp()
{
	printf '%s\n' '{"execute":"qmp_capabilities"}' \
		"{\"execute\":\"$2\",\"arguments\":${3:-{\}}}" |
		socat -t 5 - "UNIX-CONNECT:$VMS/$1/qmp" |
		jq -c 'select(has("return") or has("error"))' | sed -n 2p
}

# machine_register NAME MACHINE: makes the VM known to machined
machine_register()
{
	local pid
	pid=$(vm_pid "$1")
	busctl call org.freedesktop.machine1 /org/freedesktop/machine1 \
		org.freedesktop.machine1.Manager RegisterMachine sayssus \
		"$2" 0 wtrack-tests vm "$pid" ""
}
