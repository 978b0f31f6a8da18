#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# doctor, version, completion: on a host where all is well, and as things go
# away one after the other.
. "$(dirname "$0")/lib.sh"

# doctor USER: keeps its JSON and its exit code
doctor()
{
	code=0
	as_user "$1" wtrackctl doctor --json=short >"$SCRATCH/json" || code=$?
	jq -e '.schema == 1 and (.checks | length) > 9' "$SCRATCH/json" \
		>"$SCRATCH/held"
}

# holds FILTER
holds()
{
	jq -e "def state(\$n): .checks[] | select(.name == \$n) | .state;
		def details(\$n): .checks[] | select(.name == \$n) | .details;
		$1" "$SCRATCH/json" >"$SCRATCH/held" && return
	jq . "$SCRATCH/json"
	return 1
}

all_is_well()
{
	doctor root && holds '.worst == "ok"' && same 0 "$code" &&
		holds 'details("kernel").write_tracking == true and
			details("module").loaded and details("module").file != null and
			details("kvm").paging == "nested" and
			details("device").mode == "0660" and
			details("device").group == "kvm-wtrack" and
			details("daemon").running and
			details("emulator").guard and
			(details("emulator").page_changed | length) > 4 and
			(details("vms").vms | length) == 1'
}

one_screen()
{
	wtrackctl doctor >"$SCRATCH/text"
	cat "$SCRATCH/text"
	same "" "$(grep -v '^ok ' "$SCRATCH/text")" &&
		[ "$(wc -l <"$SCRATCH/text")" -le 24 ] &&
		[ "$(wc -L <"$SCRATCH/text")" -le 80 ] &&
		same "" "$(wtrackctl doctor --quiet)"
}

# Who has no rights on the device has the daemon.
user_is_well()
{
	doctor alice && same 0 "$code" && holds 'state("device") == "ok" and
		details("device").may_open == false and
		(details("vms").vms | all(.own))'
	doctor bob && same 0 "$code" &&
		holds 'details("vms").vms | length == 1 and all(.own | not)'
}

# hints USER TEXT: what doctor tells to do
hints()
{
	as_user "$1" wtrackctl doctor >"$SCRATCH/text"
	grep -q -- "$2" "$SCRATCH/text"
}

daemon_is_missed()
{
	doctor root && same 1 "$code" && holds '.worst == "warn" and
		state("daemon") == "warn" and details("vms").complete == false'
	doctor alice && same 4 "$code" && holds 'state("device") == "fail"' &&
		hints alice '-> start wtrackd'
}

module_is_missed()
{
	doctor root && same 5 "$code" && holds 'state("module") == "fail" and
		state("device") == "fail" and
		details("module").loaded == false' &&
		hints root '-> modprobe kvm-wtrack'
}

# boot SECURE_BOOT LOCKDOWN [VARIABLE...]: doctor sees the firmware's variables,
# and a kernel that is locked down
boot()
{
	local global=8be4df61-93ca-11d2-aa0d-00e098032b8c
	local shim=605dab50-e046-4300-abb6-3dd810dd8b23
	local variables=$SCRATCH/efi/efivars variable
	rm -rf "$SCRATCH/efi"
	mkdir -p "$variables" "$SCRATCH/security"
	printf '\6\0\0\0%b' "\\$1" >"$variables/SecureBoot-$global"
	for variable in "${@:3}"; do
		printf '\6\0\0\0\1' >"$variables/$variable-$shim"
	done
	echo "$2" >"$SCRATCH/security/lockdown"
	code=0
	unshare -m sh -ec 'mount -t tmpfs none /sys/firmware
		mkdir /sys/firmware/efi
		mount --bind "$1/efi" /sys/firmware/efi
		mount --bind "$1/security" /sys/kernel/security
		exec wtrackctl doctor --json=short' - "$SCRATCH" \
		>"$SCRATCH/json" || code=$?
}

free='[none] integrity confidentiality'
locked='none [integrity] confidentiality'

loaded_before_lockdown()
{
	boot 1 "$free" && same 0 "$code" &&
		holds 'details("secure-boot") | .efi and .secure_boot and
			(.signature_wanted or .mok_keys | not)' || return
	boot 1 "$locked" MokListRT
	same 1 "$code" && holds 'state("secure-boot") == "warn" and
		(details("secure-boot") | .lockdown == "integrity" and
			.signature_wanted and .mok_keys)'
}

unsigned_is_of_no_use()
{
	boot 1 "$locked"
	same 5 "$code" && holds 'state("secure-boot") == "fail" and
		details("module").signed == false and
		(.checks[] | select(.name == "secure-boot").hint |
			contains("sign it"))'
}

# What kmodsign appends, as far as it tells of a signature.
signed_needs_a_key()
{
	local file
	file=$(modinfo -n kvm-wtrack)
	cp "$file" "$SCRATCH/module.ko"
	printf '~Module signature appended~\n' >>"$file"
	boot 1 "$locked"
	holds 'state("secure-boot") == "warn" and details("module").signed and
		(.checks[] | select(.name == "secure-boot").hint |
			contains("mokutil"))' &&
		boot 1 "$locked" MokListRT MokSBStateRT
	holds 'state("secure-boot") == "ok" and (details("secure-boot") |
		.mok_keys and .mok_validation_off)' &&
		boot 0 "$free" && holds 'state("secure-boot") == "ok" and
		details("secure-boot").secure_boot == false'
	local status=$?
	cp "$SCRATCH/module.ko" "$file"
	return $status
}

# As far as doctor sees one: by its arguments.
confidential_is_named()
{
	local pid status=0
	coproc CONFIDENTIAL { exec setpriv --reuid=alice --regid=alice \
		--init-groups "$PLACE/bin/barevm" 1 \
		-machine q35,confidential-guest-support=sev0; }
	pid=$CONFIDENTIAL_PID
	read -r _ <&"${CONFIDENTIAL[0]}"
	wait_for wtrackctl show "$pid" && doctor root && same 1 "$code" &&
		holds "state(\"protected\") == \"warn\" and
			details(\"protected\").pids == [$pid]" || status=1
	kill "$pid"
	wait "$pid"
	return $status
}

doctor_finds_them()
{
	doctor root && holds '.worst == "ok"'
}

versions_are_told()
{
	wtrackctl version >"$SCRATCH/version"
	cat "$SCRATCH/version"
	grep -qE '^wtrackd +[0-9.]+$' "$SCRATCH/version" &&
		grep -qE '^module +loaded: .*guard' "$SCRATCH/version" &&
		wtrackctl version --json=short | jq -e '.daemon == .version and
			(.features | index("guard") != null)' >"$SCRATCH/held" &&
		as_user alice wtrackctl version --json=short |
		jq -e '.module_loaded and .features == null' >"$SCRATCH/held"
}

# Through bash-completion, which loads it by the command's name.
bash_completes()
{
	# shellcheck disable=SC2016 # for the other shell
	bash -c '. /usr/share/bash-completion/bash_completion
		_completion_loader wtrackctl
		COMP_WORDS=(wtrackctl show "") COMP_CWORD=2
		_wtrackctl; printf "%s\n" "${COMPREPLY[@]}"' >"$SCRATCH/words"
	cat "$SCRATCH/words"
	grep -qx fred "$SCRATCH/words" && grep -qx "$(vm_pid fred)" "$SCRATCH/words"
}

# screen PATTERN
screen()
{
	tmux -L wtrack capture-pane -p >"$SCRATCH/screen" &&
		grep -qE -- "$1" "$SCRATCH/screen"
}

# On a terminal, as it is typed. Debian's zsh looks into vendor-completions
# only, where a package of Debian would have it.
zsh_completes()
{
	local status=0
	tmux -L wtrack new-session -d -x 80 -y 24 zsh -f
	tmux -L wtrack send-keys 'PS1=; fpath+=(/usr/share/zsh/site-functions)' \
		Enter 'autoload -Uz compinit; compinit -D -u' Enter \
		'echo is-"ready"' Enter
	wait_for screen '^is-ready' || status=1
	tmux -L wtrack send-keys clear Enter 'wtrackctl tr' Tab
	wait_for screen '^wtrackctl tracked' || status=1
	tmux -L wtrack send-keys C-u 'wtrackctl list --js' Tab 'pr' Tab
	wait_for screen '^wtrackctl list --json=pretty' || status=1
	cat "$SCRATCH/screen"
	tmux -L wtrack kill-server
	return $status
}

modprobe kvm-wtrack
systemctl start wtrackd
start_bare_vm alice fred
check "where all is well doctor ends with 0" all_is_well
check "it is one screen" one_screen
check "users are told that the daemon opens the device" user_is_well
check "version tells of tool, daemon and module" versions_are_told
check "bash completes VMs" bash_completes
check "zsh completes commands and values" zsh_completes
check "a confidential guest is named" confidential_is_named
check "Secure Boot and lockdown are told" loaded_before_lockdown
# The bus would start it again for who asks.
systemctl -q mask --runtime --now wtrackd
check "doctor misses the daemon" daemon_is_missed
stop_vm fred
modprobe -r kvm-wtrack
check "doctor misses the module" module_is_missed
check "a module without signature cannot be loaded when locked down" \
	unsigned_is_of_no_use
check "one with a signature needs a key" signed_needs_a_key
modprobe kvm-wtrack
systemctl -q unmask --runtime wtrackd
systemctl start wtrackd
check "and finds them again" doctor_finds_them
finish
