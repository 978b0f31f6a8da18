# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Somebody thinks about a password: the daemon serves others meanwhile, and
# looks again when the answer comes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-daemon.sh"

PASSWORD=of-the-administrator
trap 'tmux -L wtrack kill-server 2>/dev/null; leave' EXIT

screen()
{
	tmux -L wtrack capture-pane -p >"$SCRATCH/screen"
	cat "$SCRATCH/screen"
	grep -qE -- "$1" "$SCRATCH/screen"
}

type_line()
{
	tmux -L wtrack send-keys "$1" Enter
}

echo "root:$PASSWORD" | chpasswd
start_bare_vm alice fred 1 10
tmux -L wtrack new-session -d -x 100 -y 24 setpriv --reuid=bob --regid=bob \
	--init-groups --reset-env env -C / PATH="$PATH" bash --norc
type_line "PS1=; wtrackctl monitor fred --gfn $(vm_gfn fred) -n 1; echo \"ended: \$?\""
check "bob is asked for a password" wait_for screen '^Password:'
check "alice has a session meanwhile" as_user alice hold fred </dev/null
check "of bob's there is none" wait_for nr_sessions_is 0
stop_vm fred
check "the VM ends meanwhile" wait_for nr_vms_is 0
type_line "$PASSWORD"
check "the right password comes too late" wait_for screen '^ended: 3'
check "no session is left" wait_for nr_sessions_is 0
finish
