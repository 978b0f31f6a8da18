# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Memory that goes and comes back: a reset of the machine maps the firmware's
# shadow memory anew.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-watch.sh"

removed()
{
	[ "$(nr_entries shadow "$REMOVED")" -gt 0 ]
}

# Each with the time for which nothing was seen.
returned()
{
	entries shadow "$REARMED" | jq -e -s \
		'length > 0 and all(.[]; (.WTRACK_GAP_NS | tonumber) > 0)'
}

start_vm alice fred
watch_file shadow '[Match]' 'Name=fred' '[Watch]' 'Gfn=0xc0-0xff' \
	'RateLimitBurst=10'
reload_watches
wait_for has_entries shadow "$ARMED" 1 || bail "the watch does not begin"
vm_qmp fred set-action '{"reboot":"reset"}' >"$SCRATCH/qmp"
vm_qmp fred system_reset >"$SCRATCH/qmp"
check "the removal has an entry" wait_for removed
check "the return has one" wait_for returned
finish
