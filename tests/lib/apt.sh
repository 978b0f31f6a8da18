# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Packages of suites that the machine itself does not use: apt with lists
# and caches of its own, so that /etc/apt and /var/lib/apt stay as they are.
# Needs common.sh.

APT_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# Lists older than this are fetched again before anything is looked up.
APT_LISTS_MINUTES=360

# apt_release NAME: the Debian release whose suites are meant from now on
apt_release()
{
	APT_RELEASE=$1
	APT_DIR=$CACHE/apt-$1
}
apt_release bookworm

apt_private()
{
	local tool=$1
	shift
	"$tool" -q \
		-o Dir::Etc::sourcelist="$APT_DIR/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State="$APT_DIR/state" \
		-o Dir::State::Lists="$APT_DIR/lists" \
		-o Dir::State::status=/var/lib/dpkg/status \
		-o Dir::Cache="$APT_DIR/cache" \
		-o APT::Sandbox::User=root \
		-o APT::Architecture=amd64 \
		-o APT::Architectures=amd64 \
		-o Acquire::Languages=none \
		-o Acquire::Retries=3 \
		"$@"
}

# apt_mirror PATH DEFAULT: the first URI of the machine's own sources that
# ends in PATH
apt_mirror()
{
	local uri
	uri=$(find /etc/apt -name '*.list' -o -name '*.sources' | sort |
		xargs -r -d '\n' cat | awk -v path="$1" '
			/^[ \t]*#/ { next }
			{
				for (i = 1; i <= NF && !found; i++) {
					sub(/\/+$/, "", $i)
					if ($i !~ /^[a-z+]+:\// || $i !~ path "$")
						continue
					print $i
					found = 1
				}
			}')
	echo "${uri:-$2}"
}

apt_write_sources()
{
	local signed="" archive security
	[ ! -r "$APT_KEYRING" ] || signed="[signed-by=$APT_KEYRING] "
	archive=$(apt_mirror '/debian' http://deb.debian.org/debian)
	security=$(apt_mirror '/debian-security' \
		http://deb.debian.org/debian-security)
	mkdir -p "$APT_DIR"/{state,lists/partial,cache/archives/partial}
	cat >"$APT_DIR/sources.list" <<-SOURCES
	deb $signed$archive $APT_RELEASE main
	deb $signed$archive $APT_RELEASE-backports main
	deb $signed$security $APT_RELEASE-security main
	SOURCES
}

apt_refresh()
{
	local stamp=$APT_DIR/lists.stamp
	mkdir -p "$CACHE"
	exec 8>"$CACHE/apt.lock"
	flock 8
	if [ -z "$(find "$stamp" -mmin "-$APT_LISTS_MINUTES" 2>/dev/null)" ]; then
		say APT "package lists of $APT_RELEASE, -security, -backports"
		apt_write_sources
		run_logged "$CACHE/log/apt-update" apt_private apt-get update \
			-o APT::Update::Error-Mode=any || die "no package lists"
		touch "$stamp"
	fi
	exec 8>&-
}

# apt_newest PACKAGE PREFIX: its newest version that begins with PREFIX
apt_newest()
{
	apt_private apt-cache madison "$1" |
		awk -F ' *[|] *' -v p="$2" \
			'substr($2, 1, length(p)) == p { print $2 }' |
		sort -uV | tail -n 1
}

# apt_depends PACKAGE VERSION PATTERN: the package among its dependencies
# whose name matches
apt_depends()
{
	apt_private apt-cache show "$1=$2" |
		sed -n 's/^Depends: //p' | sed 's,[|\,],\n,g' |
		awk '{ print $1 }' | grep -m 1 -xE "$3"
}

# apt_closure [-t SUITE] PACKAGE[=VERSION]...: PACKAGE=VERSION of all that a
# system which has nothing would get with them
apt_closure()
{
	apt_private apt-get -s -o Dir::State::status=/dev/null \
		install --no-install-recommends "$@" |
		sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1=\2/p'
}

# apt_fetch DIR PACKAGE=VERSION...: the .debs, checked by apt
apt_fetch()
{
	local dir=$1
	shift
	mkdir -p "$dir"
	(cd "$dir" && apt_private apt-get download "$@") \
		>"$CACHE/log/${0##*/}" 2>&1 || {
		tail -n 20 "$CACHE/log/${0##*/}" >&2
		die "could not download $*"
	}
}
