# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The page of the bus interface against the daemon's tables of members. Needs
# tools.sh.

# The daemon's sources as the compiler sees them, strings joined.
preprocessed()
{
	local flags
	flags=$(pkg-config --cflags libsystemd)
	# shellcheck disable=SC2086 # flags are words
	"${CC:-cc}" -E -P -D_GNU_SOURCE -DWTRACK_VERSION='""' $flags \
		-I"$TOP/include" -I"$TOP/include/uapi" -I"$TOP" \
		-iquote "$TOP/common" "$@" |
		sed 's/" *"//g'
}

# What is between the quotes behind ".NAME = "; nothing for a null pointer.
member_field()
{
	sed -nE "s/.*\.$1 = (\(\(void \*\)0\)|\"([^\"]*)\").*/\2/p" <<<"$2"
}

# vtable_facts INTERFACE SOURCE: "interface kind member in -> out: names"
vtable_facts()
{
	local entry kind names
	preprocessed "$2" | tr '\n' ' ' | sed 's/\.type = _SD/\n&/g' |
		grep -E '^\.type = _SD_BUS_VTABLE_(METHOD|(WRITABLE_)?PROPERTY|SIGNAL),' |
		while read -r entry; do
			kind=$(sed -E 's/.*_(METHOD|PROPERTY|SIGNAL),.*/\1/' \
				<<<"$entry")
			names=$(member_field names "$entry" |
				sed -E 's/(\\0)+/ /g; s/^ +| +$//g')
			echo "$1 ${kind,,} $(member_field member "$entry")" \
				"$(member_field signature "$entry") ->" \
				"$(member_field result "$entry"): $names"
		done
}

bus_members()
{
	vtable_facts org.wtrack1.Manager "$DAEMON/bus_manager.c"
	vtable_facts org.wtrack1.VM "$DAEMON/bus_vm.c"
	vtable_facts org.wtrack1.Session "$DAEMON/bus_session.c"
	vtable_facts org.wtrack1.Watch "$WATCH/bus_watch.c"
	vtable_facts org.wtrack1.Watches "$WATCH/bus.c"
}

plain()
{
	tr -s ' ' | sed 's/ $//' | sort
}

bus_has_text()
{
	diff <(awk -f "$SRC/bus.awk" "$1" | plain) <(bus_members | plain)
}

bus_errors()
{
	grep -hoE 'org\.wtrack1\.Error\.[A-Za-z]+' "$DAEMON"/*.[ch] | sort -u
}

bus_errors_have_text()
{
	diff <(sed -n 's/^\.It Li \(org\.wtrack1\.Error\..*\)/\1/p' "$1" |
		sort) <(bus_errors)
}

polkit_actions_have_text()
{
	diff <(sed -n 's/^\.It Li \(org\.wtrack1\..*\)/\1/p' "$1" |
		tr -d '\134' | sort) \
		<(find "$TOP/systemd" -name '*.policy*' -exec \
			sed -nE 's/.*<action id="([^"]*)".*/\1/p' {} + | sort)
}
