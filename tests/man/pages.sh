# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The library's and the device's pages against the headers, and what holds for
# all pages. Functions print what is wrong, or fail.

UAPI=$TOP/include/uapi/linux
# shellcheck disable=SC2034 # examples.sh uses them
SRC=$TOP/tests/man
# shellcheck disable=SC2034
WORK=$BUILD/man-check

# Of libwtrack.map.
mapped_functions()
{
	sed -n 's/^\t\(wtrack_.*\);$/\1/p' "$1" | sort
}

# Names of links whose page has them in its first section.
linked_functions()
{
	local link name
	for link in "$1"/*.3; do
		[ -L "$link" ] || continue
		name=$(basename "$link" .3)
		if grep -qxE "\.Nm $name( ,)?" "$link"; then
			echo "$name"
		else
			echo "$name is linked to a page without it"
		fi
	done | sort
}

# functions_have_pages DIR MAP
functions_have_pages()
{
	diff <(linked_functions "$1") <(mapped_functions "$2")
}

# Of the kernel's headers, without the ends of enumerations.
header_constants()
{
	{
		awk -v PREFIX=kvm_wtrack_ -f "$TOP/tests/abi/fields.awk" \
			"$UAPI"/*.h | sed -n 's/^#define //p'
		sed -nE 's/^\t(KVM_WTRACK_[A-Z0-9_]+),.*/\1/p' "$UAPI"/*.h
	} | grep -vE '_(UNSPEC|MAX|H)$' | sort
}

constants_have_text()
{
	diff <(sed -n 's/^\.It Dv \(KVM_WTRACK_[A-Z0-9_]*\)$/\1/p' "$1" | sort) \
		<(header_constants)
}

# Fields of inner structs by their own names, reserved ones left out.
# A field of a structure in a union also has the union's name in front of it, as
# kernel-doc wants it.
header_fields()
{
	awk -v PREFIX=kvm_wtrack_ -f "$TOP/tests/abi/fields.awk" \
		"$UAPI/kvm_wtrack.h" | grep -v '^#' | grep -v __reserved |
		awk '{ print } sub(/\..*/, "")' | sort -u
}

page_fields()
{
	awk '/^\.Ss / { name = "" }
		/^\.Ss struct kvm_wtrack_/ {
			name = substr($3, length("kvm_wtrack_") + 1)
		}
		name != "" && /^\.It Fa / { print name, $3 }' "$1" |
		grep -v __reserved | sort
}

fields_have_text()
{
	diff <(page_fields "$1") <(header_fields)
}

errnos_have_text()
{
	diff <(sed -n '/^\.Sh ERRORS/,/^\.Sh SEE/s/^\.It Er \(E.*\)/\1/p' "$1" |
		sort) \
		<(sed -n 's/^ \*\t\(E[A-Z0-9]*\)\t.*/\1/p' \
			"$UAPI/kvm_wtrack.h" | sort)
}

# "name default min max" of each parameter of the module.
parameters()
{
	awk '/^unsigned int kwt_/ {
			sub(/;/, "")
			value = $5
			if ($5 == "1U") value = 2 ^ $7
		}
		/^BOUNDED\(/ {
			gsub(/BOUNDED\(|,/, " ")
			print $1, value, $2, $3
		}' "$TOP/kmod/main.c" |
		sed "s/KWT_MIN_RECORDS/$(kmod_number MIN_RECORDS)/
			s/KWT_MAX_RECORDS/$(kmod_number MAX_RECORDS)/
			s/UINT_MAX/4294967295/" |
		awk '{ print $1, $2, $3, $4 }' | sort
}

kmod_number()
{
	local text
	text=$(sed -nE "s/^#define KWT_$1[ \t]+\(?([0-9U <]+)\)?$/\1/p" \
		"$TOP"/kmod/*.h)
	echo $((${text//U/}))
}

page_parameters()
{
	sed -n '/^\.Sh MODULE PARAMETERS/,/^\.Sh FDINFO/p' "$1" | awk '
		function out() {
			if (match(all, /[0-9]+ to [0-9]+/))
				bounds = substr(all, RSTART, RLENGTH)
			split(bounds, b, " to ")
			sub(/.*by default /, "", all)
			sub(/\..*/, "", all)
			print name, all, b[1], b[2]
		}
		/^\.(It Cm|El)/ { if (name != "") out(); name = $3; all = "" }
		!/^\./ { all = all " " $0 }' | sort
}

parameters_have_text()
{
	diff <(page_parameters "$1") <(parameters)
}

fdinfo_has_text()
{
	diff <(sed -n 's/^\.It Li \(wtrack-[a-z-]*\) .*/\1/p' "$1") \
		<(sed -n 's/.*seq_printf(m, "\(wtrack-[a-z-]*\):.*/\1/p' \
			"$TOP/kmod/status.c")
}

tracepoints_have_text()
{
	diff <(sed -n 's/^\.It Li \(kvm_wtrack_[a-z]*\)$/\1/p' "$1") \
		<(sed -n 's/^TRACE_EVENT(\(.*\),$/\1/p' "$TOP/kmod/trace.h")
}

# lint PAGE...: of the level "style", which is all but the house rules of the
# BSDs. What is said of pages that are not installed here says nothing of ours.
lint()
{
	local out
	out=$(mandoc -T lint -W style "$@" 2>/dev/null |
		grep -v 'STYLE: referenced manual not found: ') || true
	[ -z "$out" ] || { printf '%s\n' "$out"; return 1; }
}

# "name section" of all pages that these refer to
referred()
{
	grep -hoE '(^\.| )Xr (\( )?[^ ]+ [0-9]' "$@" |
		sed -E 's/.*Xr (\( )?//' | sort -u
}

# references DIR PAGE...: those to pages of ours that are not there
references()
{
	local dir=$1 bad=0 name section
	shift
	while read -r name section; do
		[ -e "$dir/$name.$section" ] && continue
		echo "no page $name($section)"
		bad=1
	done < <(referred "$@" |
		grep -E '^(libwtrack|kvm[-_]wtrack|org\.wtrack1|wtrack)')
	return $bad
}

# unreferenced DIR: pages to which no other leads
unreferenced()
{
	local page name others
	for page in "$1"/*.[1-8]; do
		[ ! -L "$page" ] || continue
		name=${page##*/}
		mapfile -t others < <(find "$1" -type f ! -name "$name")
		referred /dev/null "${others[@]}" |
			grep -xF "${name%.*} ${name##*.}" >/dev/null ||
			echo "nothing refers to $name"
	done | diff /dev/null -
}
