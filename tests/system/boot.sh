# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The host itself: it is up, devices belong to whom they should, a VM runs and
# is seen writing.
. "$(dirname "$0")/lib.sh"

device()
{
	stat -c '%U:%G %a' "$1"
}

watcher_sees()
{
	[ "$(wc -l <"$SCRATCH/seen")" -ge 20 ]
}

# Of a counter: neither is one missing nor is one there twice.
consecutive()
{
	local length low high value last=
	while read -r _ _ length low high _; do
		[ "$length" = 8: ] || continue
		value=$((16#$high$low))
		[ -z "$last" ] || [ "$value" = $((last + 1)) ] || {
			echo "$value after $last"
			return 1
		}
		last=$value
	done <"$SCRATCH/seen"
	same "$after" "$last"
}

check "the system runs" same running "$(systemctl is-system-running)"
check "the module is loaded" test -d /sys/module/kvm_wtrack
check "the module's device is its group's" \
	same "root:kvm-wtrack 660" "$(device /dev/kvm-wtrack)"
check "/dev/kvm" same "root:kvm 660" "$(device /dev/kvm)"
for user in alice bob carol; do
	check "$user is a user" id "$user"
done

start_vm alice fred 1 100
check "the VM is alice's" same alice "$(stat -c %U "/proc/$(vm_pid fred)")"
watch "$(vm_pid fred)" "$(vm_gfn fred)" >"$SCRATCH/seen" 2>&1 &
check "its writes are seen" wait_for watcher_sees
before=$(vm_rate fred 0)
after=$(vm_burst fred 50)
check "the guest counts" same $((before + 50)) "$after"
stop_vm fred
wait $!
check "each write is seen once" consecutive
finish
