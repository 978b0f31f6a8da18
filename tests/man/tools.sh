# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The pages of daemon and tool against what they are built from. Needs
# pages.sh and examples.sh.

CTL=$BUILD/ctl/wtrackctl
DAEMON=$TOP/daemon
WATCH=$TOP/watch

# What wtrackctl says of itself: "command arguments", "command stream", and
# "command letter option value", - for what there is not.
tool_facts()
{
	"$CTL" help --json=short | jq -r '.commands[] | .name as $name |
		"\($name): \(.arguments)",
		(if .stream then "\($name): stream" else empty end),
		(.options[] | "\($name): \(.letter // "-") \(.name) \(.value // "-")")' |
		sed 's/ *$//' | sort
}

# The same, as the page has it.
page_tool_facts()
{
	awk -f "$SRC/tool.awk" "$1" | sed 's/ *$//' | sort
}

tool_has_text()
{
	diff <(page_tool_facts "$1") <(tool_facts)
}

exit_codes_have_text()
{
	diff <(sed -nE '/^\.\\" exit codes/,/^\.El/s/^\.It Li (.) , (.*)/\1 \2/p' \
		"$1" | tr -d '\134' | sort) \
		<(awk '/^\tEXIT_[A-Z_]+ = [0-9]+,/ { number[$1] = $3 + 0 }
			match($0, /\[EXIT_[A-Z_]+\] = "/) {
				name = substr($0, RSTART + 1, RLENGTH - 6)
				split($0, word, "\"")
				print number[name], word[2]
			}' "$TOP/ctl/ctl.h" "$TOP/ctl/ctl.c" | sort)
}

json_parses()
{
	jq -e '.schema == 1' "$1" >/dev/null
}

json_examples_parse()
{
	each json_parses json "$@"
}

# "Section Key" of both kinds of files, as "wtrackd.conf" and "watches.d".
configuration_keys()
{
	sed -nE 's/^\tKEY\("([A-Za-z]+)", "([A-Za-z]+)".*/wtrackd.conf \1 \2/p' \
		"$DAEMON/config.c" "$WATCH/defaults.c" | sort -u
	sed -nE 's/^\t\{ "([A-Za-z]+)", "([A-Za-z]+)", set_.*/watches.d \1 \2/p' \
		"$WATCH/watch_keys.c"
}

page_keys()
{
	awk '/^\.Ss Options of/ { file = "wtrackd.conf" }
		/^\.Ss Watches/ { file = "watches.d" }
		/^\.Sh FILES/ { exit }
		/^\.It Bq / { section = $3 }
		/^\.It Cm / {
			for (i = 1; i < NF; i++)
				if ($i == "Cm")
					print file, section, $(i + 1)
		}' "$1"
}

keys_have_text()
{
	diff <(page_keys "$1" | sort) <(configuration_keys | sort)
}

# "Key default" of what is installed, where all of them are commented out.
shipped_defaults()
{
	sed -nE 's/^#([A-Za-z]+)=(.*)/\1 \2/p' "$DAEMON/wtrackd.conf" | sort
}

page_defaults()
{
	sed -n '/^\.Ss Options of/,/^\.Ss Watches/p' "$1" | awk '
		function out() {
			if (!match(all, /[Bb]y default:? [^ ]+/))
				all = "- - none"
			else
				all = substr(all, RSTART, RLENGTH)
			split(all, word, " ")
			sub(/[.,;]$/, "", word[3])
			print key, word[3]
		}
		/^\.(It Cm|El)/ { if (key != "") out(); key = "" }
		/^\.It Cm/ { key = $3; all = "" }
		{ sub(/^\.Li /, ""); all = all " " $0 }' | sort
}

defaults_are_right()
{
	diff <(page_defaults "$1") <(shipped_defaults)
}

parser()
{
	local part sources=("$DAEMON/config.c" "$TOP"/common/*.c)
	for part in defaults watch_config watch_keys watch_match ranges fdstore; do
		sources+=("$WATCH/$part.c")
	done
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -pthread -iquote "$TOP" \
		-iquote "$TOP/common" -iquote "$DAEMON" -iquote "$WATCH" \
		-I"$TOP/include" -o "$WORK/parse_config" \
		"$SRC/parse_config.c" "${sources[@]}" -lsystemd
}

# The file that is shown, in a folder of its own.
conf_parses()
{
	mkdir "$1.d"
	cp "$1" "$1.d/wtrackd.conf"
	"$WORK/parse_config" "$1.d"
}

watch_parses()
{
	cp "$1" "$1.conf"
	"$WORK/parse_config" "" "$1.conf"
}

files_parse()
{
	[ -x "$WORK/parse_config" ] || parser
	each conf_parses wtrackd.conf "$@"
	each watch_parses watch "$@"
}

# sources_of PAGE: the directory of the program that it describes
sources_of()
{
	case ${1##*/} in
	wtrack-watch.8) echo "$WATCH" ;;
	*) echo "$DAEMON" ;;
	esac
}

# Those of watches are in the page of wtrack-watch, all others in that of wtrackd.
message_ids()
{
	local which=-v
	[ "$(sources_of "$1")" != "$WATCH" ] || which=-e
	grep $which '^#define MESSAGE_WATCH_' "$TOP/common/message-ids.h" |
		sed -nE 's/^#define MESSAGE_.*"([0-9a-f]{32})"$/\1/p' | sort
}

message_ids_have_text()
{
	diff <(sed -nE 's/^\.It Li ([0-9a-f]{32})$/\1/p' "$1" | sort) \
		<(message_ids "$1")
}

# Fields of journal entries: names that the program writes.
journal_fields()
{
	grep -hoE '"(WTRACK|CONFIG)_[A-Z_]+' "$(sources_of "$1")"/*.c |
		tr -d '"' | sort -u
}

page_journal_fields()
{
	sed -nE 's/^\.It Li ((WTRACK|CONFIG)_.*)/\1/p' "$1" | tr -d ' ' |
		tr , '\n' | sort
}

fields_of_journal_have_text()
{
	diff <(page_journal_fields "$1") <(journal_fields "$1")
}

# Options of a program of the daemon's, by its own help.
page_options()
{
	awk '/^\.Sh DESCRIPTION/ { inside = 1 }
		/^\.Ss/ { inside = 0 }
		inside && /^\.It Fl / {
			for (i = 3; i <= NF && $i != "Ns"; i++)
				if ($i != ",")
					print "-" $i
		}' "$1" | sort
}

daemon_options_have_text()
{
	local program
	program=$(basename "$1" .8)
	diff <(page_options "$1") <(LD_LIBRARY_PATH=$BUILD/libwtrack \
		"$BUILD/$(basename "$(sources_of "$1")")/$program" --help |
		grep -oE '^ +(-[a-z], )?--[a-z]+' | tr -s ' ,' '\n' | grep . |
		sort)
}

# Names of all metrics, as the tool prints them.
metric_names()
{
	"$TOP/tests/ctl/metrics.sh" "$WORK/metrics"
	"$WORK/metrics" | sed -nE 's/^([a-z_]+).*/\1/p' | sort -u
}

metrics_have_text()
{
	diff <(sed -n '/^\.\\" metrics/,/^\.El/s/^\.It Li //p' "$1" | sort) \
		<(metric_names)
}

# Keys of the JSON that the tool prints: those that its sources set, and the
# names of counters and of what doctor tells, which are in arrays.
json_keys()
{
	{
		grep -ohE '(json|add)_[a-z0-9_]+\([^",]+, "[a-z_0-9]+"' \
			"$TOP"/ctl/*.c | sed 's/.*"\(.*\)"/\1/'
		sed -n '/counter_names\[.*= {/,/};/p' "$TOP/ctl/model_text.c" |
			grep -oE '"[a-z_]+"' | tr -d '"'
		sed -n '/facts\[\] = {/,/^};/p' "$TOP/ctl/doctor_emulator.c" |
			sed -nE 's/.*\{ "([a-z_]+)",.*/\1/p'
	} | sort -u
}

# In the page, keys are Li, values are not.
page_json_keys()
{
	sed -nE '/^\.\\" JSON keys/,/^\.Sh/s/^\.(It )?Li //p' "$1" |
		tr -d ' :.' | tr , '\n' | grep . | sort -u
}

# "type" of lines of streams.
json_types()
{
	{
		grep -ohE 'json_line\("[a-z_]+"' "$TOP"/ctl/*.c
		sed -n '/event_type_name(int/,/^}/p' "$TOP/ctl/event.c" |
			grep -v default: | grep -oE '"[a-z_]+"'
	} | sed 's/.*"\(.*\)"/\1/' | sort -u
}

page_json_types()
{
	sed -nE '/^\.\\" JSON types/,/^\.El/s/^\.It Cm //p' "$1" | sort
}

json_types_have_text()
{
	diff <(page_json_types "$1") <(json_types)
}

json_keys_have_text()
{
	diff <(page_json_keys "$1") <(json_keys)
}
