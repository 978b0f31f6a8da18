# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The packages are installed, upgraded, removed and purged while a guest writes
# to pages that the daemon watches and a user has a session on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-watch.sh"
. "$(dirname "$0")/lib-daemon.sh"

NAMES=(kvm-wtrack-dkms wtrackd wtrackctl libwtrack1)
trap 'leave' EXIT

# What is on the disk, without what others keep there: logs, caches, the lists
# of dpkg and depmod, backups of the lists of users.
listing()
{
	find /etc /usr /var /opt /srv -xdev \
		\( -path /var/log -o -path /var/cache -o -path /var/lib/dpkg \
		-o -path /var/lib/systemd -o -path /var/tmp \
		-o -path '/usr/lib/modules/*/modules.*' -o -path '/etc/*-' \) \
		-prune -o -print | sort
	cut -d: -f1 /etc/passwd /etc/group | sort
}

# install_debs DIR: all of its packages that a host needs
install_debs()
{
	local name files=()
	for name in "${NAMES[@]}"; do
		files+=("$PLACE/$1/${name}"_*.deb)
	done
	DEBIAN_FRONTEND=noninteractive dpkg -i "${files[@]}" </dev/null
}

# built VERSION: DKMS gets a module that it has built elsewhere: the emulated
# processor would take an hour, and there are no headers.
built()
{
	dkms remove "kvm-wtrack/$1" --all &&
		dkms ldtarball \
			--archive "$PLACE/prebuilt/kvm-wtrack-$1.dkms.tar.gz" &&
		dkms install "kvm-wtrack/$1" -k "$(uname -r)"
}

dkms_is()
{
	dkms status kvm-wtrack
	[ "$(dkms status kvm-wtrack)" = "kvm-wtrack/$1, $(uname -r), x86_64: installed" ]
}

# Another one, once it was unloaded.
module()
{
	stat -c %i /sys/module/kvm_wtrack
}

device()
{
	same "root:kvm-wtrack 660" "$(stat -c '%U:%G %a' /dev/kvm-wtrack)"
}

daemon_pid()
{
	systemctl show -P MainPID wtrackd
}

seqs()
{
	entries doorbells "$WRITE" | field WTRACK_SEQ | sort -n | uniq
}

all_logged()
{
	diff <(seqs) <(seq "$1") | head -n 20
	[ "$(seqs | wc -l)" = "$1" ]
}

# saw NAME NUMBER: all that a session of `hold` saw
saw()
{
	cat "$SCRATCH/$1/out"
	grep -qE "^events [0-9]+ $2$" "$SCRATCH/$1/out"
}

remove()
{
	dpkg "$1" "${NAMES[@]}" 2>&1 | tee "$SCRATCH/removed"
	return "${PIPESTATUS[0]}"
}

PROM=/var/lib/prometheus/node-exporter/wtrack.prom
WANTS=/etc/systemd/system/sockets.target.wants

# What a package with a server of metrics leaves when it is upgraded: its socket
# listens, is enabled, and has no file any more.
old_metrics()
{
	local unit=/lib/systemd/system/wtrack-metrics.socket
	printf '%s\n' '[Socket]' 'ListenStream=127.0.0.1:9433' '[Install]' \
		'WantedBy=sockets.target' >$unit
	useradd --system --user-group --home-dir / --shell /usr/sbin/nologin \
		wtrack-metrics
	systemctl -q daemon-reload
	systemctl -q enable --now wtrack-metrics.socket
	rm $unit
}

listens()
{
	ss -Hltn 'sport = :9433' | grep .
}

listing >"$SCRATCH/before"
start_bare_vm alice fred
pid=$(vm_pid fred)
gfn=$(vm_gfn fred)

check "the packages are installed" install_debs deb
check "the module is built" built 1.0.0
check "DKMS has it" dkms_is 1.0.0
check "wtrackd has it loaded when it starts" systemctl restart wtrackd
check "it is loaded" test -d /sys/module/kvm_wtrack
check "the device is its group's" wait_for device
check "wtrackd runs" same active "$(systemctl is-active wtrackd)"
check "and at the next boot" systemctl -q is-enabled wtrackd
check "metrics are not written unasked" \
	not systemctl -q is-enabled wtrack-metrics.timer
check "wtrackctl finds the VM" eval 'as_user alice wtrackctl list | grep fred'

watch_file doorbells '[Match]' 'Name=fred' '[Watch]' "Gfn=$gfn" \
	'RateLimitBurst=0'
systemctl reload wtrackd
wait_for has_entries doorbells "$ARMED" 1 || bail "the watch does not begin"
check "alice has a session" hold_as alice one -g "$gfn" "$pid"
vm_rate fred 20 >"$SCRATCH/rate"
module=$(module)
daemon=$(daemon_pid)
systemctl -q enable --now wtrack-metrics.timer
check "metrics are written" wait_for grep -q 'vm_name="fred"' "$PROM"
old_metrics
check "a server of metrics listens" listens
check "the packages are upgraded" install_debs next
check "the next module is built" built 1.0.1
check "DKMS has it and no other" dkms_is 1.0.1
check "the one that is in use was not unloaded" same "$module" "$(module)"
check "the next boot gets the other" \
	eval 'modinfo -n kvm-wtrack | grep -q updates/dkms'
check "the next daemon runs" not same "$daemon" "$(daemon_pid)"
check "which is the upgrade's" same 1.0.1 "$(wtrackd --version | cut -d' ' -f2)"
check "the server of metrics does not listen" not listens
check "and is not enabled any more" test ! -L $WANTS/wtrack-metrics.socket
check "its user is gone" not getent passwd wtrack-metrics
check "its group is gone" not getent group wtrack-metrics
rm -f "$PROM"
check "metrics are still written" wait_for grep -q 'version="1.0.1"' "$PROM"
check "it goes on with the watch" wait_for has_entries doorbells "$RESUMED" 1
stores=$(vm_rate fred 0)
check "the guest has stored all the time" test "$stores" -gt 20
check "each store was logged" wait_for all_logged "$stores"
check "alice's session ends when she wants" let_go one
check "and has seen each store" saw one "$stores"

check "alice has another session" hold_as alice two -g "$gfn" "$pid"
check "the packages are removed" remove -r
check "the module that she uses is not" same "$module" "$(module)"
check "which is said" grep -q 'stays loaded until the next boot' "$SCRATCH/removed"
check "the daemon is gone" same inactive "$(systemctl is-active wtrackd)"
check "and with it the timer" same inactive \
	"$(systemctl is-active wtrack-metrics.timer)"
check "and what it wrote" test ! -e "$PROM"
vm_burst fred 10 >"$SCRATCH/burst"
let_go two
check "her session has seen what was stored then" saw two 10
check "the VM is still the same process" same "$pid" "$(vm_pid fred)"
check "the module goes when nobody uses it" rmmod kvm_wtrack

check "the packages are purged" remove -P
listing >"$SCRATCH/after"
check "nothing is left of them" diff "$SCRATCH/before" "$SCRATCH/after"
check "nor in /run" same "" "$(find /run -name '*wtrackd*')"
finish
