# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A machine on which nothing has run yet: the last steps of
# "make install" in docs/INSTALL.md, in that order.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

module=$(modinfo -n kvm-wtrack)
systemctl stop wtrackd
rmmod kvm_wtrack
userdel wtrackd
groupdel kvm-wtrack
check "there is no device" test ! -e /dev/kvm-wtrack

# The bus reads the policy as soon as that is there, before there are users.
systemctl reload dbus

# What was installed is newer than what udev and systemd have read.
touch /usr/lib/udev/rules.d/60-kvm-wtrack.rules
steps()
{
	sed -n '/^    make install /,/^    systemctl enable/p' "$PLACE/INSTALL.md" |
		sed "1d; s/#.*//; s|[^ ]*/kvm-wtrack.ko|$module|"
}
check "the steps are known" grep -q "insmod $module" <(steps)
check "they work" bash -e -c "$(steps)"
udevadm settle
check "the device is its group's" same "root kvm-wtrack 660" \
	"$(stat -c '%U %G %a' /dev/kvm-wtrack)"
check "the daemon runs" systemctl is-active wtrackd
start_vms alice 1
opens()
{
	as_user alice hold "$vms_pid" </dev/null
}
check "whoever runs a VM may follow it" wait_for opens
end_vms
finish
