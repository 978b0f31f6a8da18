#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# wtrackctl on a machine without daemon and module: how it fails, that its
# JSON is always valid, its help, its completion. Prints TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/check.sh"

CTL=$BUILD/ctl/wtrackctl
promtool=$("$TOP/tests/ctl/promtool.sh")
export LC_ALL=C.UTF-8
# No daemon, whatever this machine has.
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent/bus
unset NO_COLOR COLUMNS

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
# run WORD...: leaves code, and the files out and err
run()
{
	code=0
	"$TOP/tests/lib/limited" 20 "$CTL" "$@" >out 2>err </dev/null || code=$?
}

# expect CODE PATTERN WORD...: how a command line ends, and what it says
expect()
{
	local want=$1 pattern=$2
	shift 2
	run "$@"
	[ "$code" = "$want" ] || echo "$*: exit code $code, not $want"
	[ "$(wc -l <err)" = 1 ] || { echo "$*: not one line:" && cat err; }
	grep -qE -- "$pattern" err || { echo "$*: no '$pattern':" && cat err; }
}

commands()
{
	"$CTL" --json=short help | jq -r '.commands[].name'
}

# arguments COMMAND: something for each argument that it needs
arguments()
{
	case $("$CTL" --json=short help "$1" |
		jq -r '.commands[0].arguments') in
	VM*) echo 4711 ;;
	FILE*) echo nonexistent ;;
	'bash|zsh') echo bash ;;
	esac
}

# shellcheck disable=SC2016 # no command, but what the tool says of one
usage_errors()
{
	expect 2 'no command is named; `wtrackctl help`'
	expect 2 "'lst' is no command" lst
	expect 2 'unknown option --foo; see `wtrackctl help list`' list --foo
	expect 2 'unknown option -x' list -x
	expect 2 'takes no value' list --quiet=1
	expect 2 'no value for --vm' show --vm
	expect 2 'no VM is named; `wtrackctl list`' show
	expect 2 'no VM is named; `wtrackctl list`' monitor "" --gfn 1
	expect 2 'an argument is empty: bash|zsh' completion ""
	expect 2 'too many arguments: b' show a b
	expect 2 'two VMs' show a --vm=b
	expect 2 'not one of short pretty off' list --json=yes
	expect 2 'a time is wanted' stat --interval=often
	expect 2 'out of bounds' stat --count=0
	expect 2 "'fish' is not one of" completion fish
	expect 2 "'lst' is no command" help lst
	[ ! -s out ] || echo "a usage error prints to stdout"
}

# Numbers of pages are printed as hexadecimal ones, and written down without 0x.
slips_of_hexadecimal()
{
	expect 2 'did you mean 0x1f400[+]4[?]' dump 4711 --gfn 1f400+4
	expect 2 'did you mean 0xc000[?]' monitor 4711 --gpa c000
	run dump 4711 --gfn 8000+4
	grep -qF -- '--gfn=8000+4 is decimal, 0x1f40; did you mean 0x8000+4?' \
		err || { echo "8000 is not asked about:" && cat err; }
	for given in 0x8000 32768 100 12001; do
		run dump 4711 --gfn $given
		! grep -q 'did you mean' err ||
			{ echo "$given is asked about:" && cat err; }
	done
	run --quiet dump 4711 --gfn 8000
	! grep -q 'did you mean' err || echo "--quiet does not keep it quiet"
}

without_daemon()
{
	local command
	for command in list sessions metrics stat; do
		expect 5 'wtrackd does not run; start it' "$command"
	done
	expect 5 'wtrackd does not run; start it' show 4711
	expect 5 'wtrackd does not run; start it' tracked --vm=4711
}

# shellcheck disable=SC2016 # as above
files_that_are_none()
{
	local give='; give a file that `wtrackctl record` has written'
	expect 3 "No such file or directory$give" report nonexistent
	expect 1 "Is a directory$give" report .
	expect 1 "not a recording, or its beginning is damaged$give" \
		report /dev/null
}

# json_of WORD...: its JSON is valid, whatever becomes of the command
json_of()
{
	run "$@" --json=short
	[ "$code" -le 7 ] || echo "$*: exit code $code"
	[ -s out ] || echo "$*: no JSON"
	[ "$(jq -c . out | wc -l)" = "$(wc -l <out)" ] ||
		echo "$*: not one object a line"
	jq -e 'select(.schema != 1)' out && echo "$*: no schema"
	[ "$code" = 0 ] || jq -es 'any(.error.code and .error.message) or
		any(.worst)' out >/dev/null || echo "$*: failed without saying so"
	run "$@" --json=pretty
	jq -es 'length > 0' out >/dev/null || echo "$*: pretty is not valid"
}

json_is_always_valid()
{
	local command
	for command in $(commands); do
		# shellcheck disable=SC2046 # none, or one word
		json_of "$command" $(arguments "$command")
		json_of "$command" --nonsense
		json_of "$command" --help
	done
	json_of lst
	run --json=short
	jq -e '.error.code == "usage"' out >/dev/null || echo "no command: $(cat out)"
}

help_is_whole()
{
	local command
	for command in $(commands); do
		run help "$command"
		mv out by_help
		run "$command" --help
		cmp out by_help
		grep -q -- '--json=short|pretty|off' out || echo "$command: options?"
		run help
		grep -q "^  $command\b" out || echo "help lacks $command"
	done
}

table_is_sane()
{
	"$CTL" --json=short help | jq -r '.commands[] | .name as $c |
		(select((.summary | length) == 0 or (.summary | endswith("."))) |
			"\($c): summary"),
		(.options | group_by(.name)[] | select(length > 1) |
			"\($c): two options \(.[0].name)"),
		(.options | map(select(.letter)) | group_by(.letter)[] |
			select(length > 1) | "\($c): two options \(.[0].letter)"),
		(.options[] | select((.summary | length) == 0 or
			(.name | test("^[a-z][a-z-]*$") | not)) |
			"\($c): option \(.name)")'
	[ "$(commands | sort | uniq -d)" = "" ] || echo "a command is there twice"
}

doctor_is_consistent()
{
	local state=0
	run doctor --json=short
	jq -er '["ok", "warn", "fail"] as $s |
		(.worst as $w | .checks | map(.state as $x | $s | index($x)) |
			max != ($s | index($w))),
		(.checks[] | select(.state != "ok") | .hint == null),
		(.checks | map(.name) | length != (unique | length)) |
		select(.) | "doctor contradicts itself"' out || true
	state=$(jq -r .worst out)
	case $state:$code in
	ok:0 | warn:[1-7] | fail:[1-7]) ;;
	*) echo "worst $state, exit code $code" ;;
	esac
	# Here is no daemon, and that is worth a word.
	jq -e '.checks[] | select(.name == "daemon") | .state == "warn"' \
		out >/dev/null || echo "doctor finds a daemon"
	mv out json
	run doctor
	[ "$(grep -c '^\(ok\|warn\|fail\) ' out)" = "$(jq '.checks | length' json)" ] ||
		echo "not a line for each check"
	[ "$(wc -l <out)" -le 24 ] || echo "more than a screen"
	run doctor --quiet
	! grep '^ok ' out
}

versions()
{
	run --version
	[ "$code" = 0 ] || echo "exit code $code"
	grep -qxE 'wtrackctl [0-9]+\.[0-9]+\.[0-9]+' out || cat out
	run version --json=short
	jq -e '.daemon == null and (.version | test("^[0-9.]+$"))' out >/dev/null ||
		cat out
}

# run_old WORD...: with a module that has neither guard nor budget
run_old()
{
	"${CC:-cc}" -shared -fPIC -I"$TOP/include" -o old_module.so \
		"$TOP/tests/ctl/old_module.c"
	LD_PRELOAD=$PWD/old_module.so run "$@"
}

# Each feature that the library names, in the order of their bits, but those of
# old_module.c. One that the tool has no name for is missing in what it prints.
lacking_features()
{
	sed -nE 's/^#define WTRACK_FEAT_([A-Z_]+)\s.*<< ([0-9]+)\)$/\2 \L\1/p' \
		"$TOP/include/wtrack/info.h" | sort -n | sed -n 's/^[0-9]* //p' |
		tail -n +7 | xargs
}

an_old_module_is_named()
{
	local names filter
	names=$(lacking_features)
	filter="(\$names | split(\" \"))"
	run_old version
	grep -qx " *too old, lacks: $names" out || cat out
	run_old version --json=short
	jq -e --arg names "$names" ".lacks == $filter and
		(.features | index(\"rip\"))" out >/dev/null || cat out
	run_old doctor --json=short
	jq -e --arg names "$names" ".checks[] | select(.name == \"versions\") |
		.state == \"fail\" and .details.lacks == $filter and
		(.text | contains(\"lacks: \" + \$names))" out >/dev/null || cat out
}

# run_on CONFIG WORD...: on a kernel with such a line in its configuration
run_on()
{
	"${CC:-cc}" -shared -fPIC -o kernel_config.so \
		"$TOP/tests/ctl/kernel_config.c" -ldl
	printf 'CONFIG_KVM=m\n%s\n' "$1" >config
	shift
	KERNEL_CONFIG=$PWD/config LD_PRELOAD=$PWD/kernel_config.so run "$@"
}

# kernel_is STATE TRACKING
kernel_is()
{
	jq -e --arg state "$1" --argjson tracking "$2" '.checks[] |
		select(.name == "kernel") | .state == $state and
		.details.write_tracking == $tracking' out >/dev/null || cat out
}

doctor_reads_the_configuration()
{
	local option=CONFIG_KVM_EXTERNAL_WRITE_TRACKING
	run_on "# $option is not set" doctor --json=short
	kernel_is fail false
	grep -q "lacks ${option#CONFIG_}" out || cat out
	run_on "$option=y" doctor --json=short
	kernel_is ok true
}

# SIGXFSZ would end it with a core dump and no word.
a_file_size_limit_is_no_success()
{
	local code=0
	(ulimit -f 0 && exec "$CTL" help >limited 2>/dev/null) || code=$?
	[ $code = 1 ] || echo "exit code $code"
	code=0
	(ulimit -f 0 && exec "$CTL" help --json=short >limited 2>/dev/null) ||
		code=$?
	[ $code = 1 ] || echo "JSON: exit code $code"
}

# realtime_is STATE REALTIME
realtime_is()
{
	kernel_is "$1" true
	jq -e --argjson realtime "$2" '.checks[] | select(.name == "kernel") |
		.details.realtime == $realtime' out >/dev/null || cat out
}

doctor_refuses_realtime()
{
	local option=CONFIG_KVM_EXTERNAL_WRITE_TRACKING=y real=CONFIG_PREEMPT_RT
	run_on "$option"$'\n'"$real=y" doctor --json=short
	realtime_is fail true
	run_on "$option"$'\n'"# $real is not set" doctor --json=short
	realtime_is ok false
	run_on "$real=y"$'\n'"$option" doctor
	[ "$code" = 5 ] || echo "exit code $code"
	[ "$(grep -c 'is a PREEMPT_RT kernel: the module does not work there$' \
		out)" = 1 ] || cat out
}

a_full_disk_is_no_success()
{
	code=0
	"$CTL" help >/dev/full 2>err || code=$?
	[ "$code" = 1 ] || echo "exit code $code"
	grep -q 'cannot write' err || cat err
}

# on_terminal COMMAND: what it prints there
on_terminal()
{
	TERM=xterm script -qec "$1" /dev/null </dev/null
}

colours_are_for_terminals()
{
	local escape=$'\033'
	run help
	! grep -q "$escape" out || echo "colours in a file"
	# Into a file: grep -q would end a pipe that is still written to.
	on_terminal "$CTL help" >out
	grep -q "$escape" out || echo "no colours"
	NO_COLOR=1 on_terminal "$CTL help" >out
	! grep -q "$escape" out || echo "colours in spite of NO_COLOR"
}

# complete_line WORD...: what bash offers for the last of the words
complete_line()
{
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_wtrackctl; printf "%s\n" "${COMPREPLY[@]}"' - \
		"$BUILD/ctl/completions/wtrackctl" "$@" | sort | xargs
}

# offers WANTED WORD...
offers()
{
	local want=$1 got
	shift
	got=$(complete_line "$@")
	[ "$got" = "$want" ] || echo "$*: '$got', not '$want'"
}

bash_completes()
{
	bash -n "$BUILD/ctl/completions/wtrackctl"
	[ "$(complete_line "$CTL" '')" = "$(commands | sort | xargs)" ] ||
		echo "commands: $(complete_line "$CTL" '')"
	offers 'sessions show stat stop' "$CTL" s
	offers 'off pretty short' "$CTL" list --json = ''
	offers 'pretty' "$CTL" list --json = p
	offers 'short' "$CTL" --json s
	offers 'show' "$CTL" --json = short sh
	offers '--count= --fail-on-loss --help --interval= --json= --no-ask-password --no-legend --quiet --timeout= --version --vm=' \
		"$CTL" stat --
	offers '--timeout=' "$CTL" stat --ti
	offers 'bash zsh' "$CTL" completion ''
	offers 'tracked' "$CTL" help tr
	offers '' "$CTL" stat --interval = ''
}

# VMs that the tool lists; a name that a shell would expand is left out.
bash_completes_vms()
{
	cat >fake <<-'LIST'
		#!/bin/bash
		[ "$1" = list ] && printf '%s\n' '4711  web  root  1  2  3K' \
			'99  $(touch${IFS}hurt)  root  0  0  0B'
	LIST
	chmod +x fake
	offers '4711 99 web' ./fake show ''
	offers '4711' ./fake tracked --vm = 4
	[ ! -e hurt ] || echo "a name was executed"
}

zsh_loads()
{
	zsh -n "$BUILD/ctl/completions/_wtrackctl"
	zsh -fc 'autoload -Uz compinit && compinit -D -u && . "$1" &&
		[[ $_comps[wtrackctl] == _wtrackctl ]]' - \
		"$BUILD/ctl/completions/_wtrackctl" || echo "zsh does not load it"
}

# promtool is of Prometheus itself, and says as well what it does not like.
metrics_are_prometheus()
{
	"$TOP/tests/ctl/metrics.sh" ./print_metrics
	./print_metrics >text
	grep -q 'vm_name="a \\"b\\" \\\\ {c=\\"d\\",}\\n# ä"' text || cat text
	"$promtool" check metrics <text 2>&1 || echo "exit code $?"
	# It finds what is wrong.
	sed 's/\\n/\n/' text | "$promtool" check metrics >wrong 2>&1 &&
		echo "a value of two lines was not noticed"
	sed '/^# HELP wtrack_vms /d' text | "$promtool" check metrics \
		>wrong 2>&1 && echo "a metric without help was not noticed"
	true
}

# Without the daemon there is nothing to write: the file stays as it was.
metrics_leave_the_file()
{
	echo old >metrics.prom
	expect 5 'wtrackd does not run; start it' metrics --output metrics.prom
	[ "$(cat metrics.prom)" = old ] || cat metrics.prom
	expect 2 'give either --output or --json' metrics --json=off -o metrics.prom \
		--json=short
	[ "$(cat metrics.prom)" = old ] || cat metrics.prom
	expect 2 'no value for --output' metrics --output
}

check "a wrong command line ends with 2 and one line" usage_errors
check "a decimal number that looks hexadecimal is asked about" slips_of_hexadecimal
check "without the daemon commands end with 5 and say what to do" without_daemon
check "metrics are what Prometheus reads" metrics_are_prometheus
check "without the daemon a file of metrics stays" metrics_leave_the_file
check "what is no recording is told from one" files_that_are_none
check "JSON is valid for each command, also when it fails" json_is_always_valid
check "each command has its help" help_is_whole
check "the table of commands is sane" table_is_sane
check "doctor agrees with itself" doctor_is_consistent
check "version is printed" versions
check "a module that lacks features is too old" an_old_module_is_named
check "doctor reads the kernel's configuration" doctor_reads_the_configuration
check "it says that a PREEMPT_RT kernel is none for the module" doctor_refuses_realtime
check "a full disk is no success" a_full_disk_is_no_success
check "neither is a limit of file sizes" a_file_size_limit_is_no_success
check "colours are for terminals, and not with NO_COLOR" colours_are_for_terminals
check "bash completes words" bash_completes
check "bash completes VMs and expands no name" bash_completes_vms
! command -v zsh >/dev/null || check "zsh loads its completion" zsh_loads

check_finish ctl
