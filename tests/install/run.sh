#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: run.sh
#
# What make install, uninstall and dist do, in directories of their own. Prints
# TAP.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$TOP/tests/lib/results.sh"
. "$TOP/tests/lib/check.sh"
cd "$TOP"
unset MAKEFLAGS MFLAGS MAKELEVEL

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# run TARGET DESTDIR VARIABLE=VALUE...
run()
{
	local target=$1 dest=$2
	shift 2
	if_it_fails make --no-print-directory "$target" DESTDIR="$dest" "$@"
}

# Files, and directories that are nobody else's.
ours()
{
	(cd "$1" && find . ! -type d -o -name '*wtrack*' | sort)
}

# Every directory that can be named, each a name that nobody else has.
ELSEWHERE=()
elsewhere()
{
	local name
	for name in $(sed -nE 's/^([A-Z]+DIR) \?= .*/\1/p' ./*/Makefile |
		sort -u); do
		ELSEWHERE+=("$name=/else/${name,,}")
	done
}

installs()
{
	run install "$scratch/a"
	ours "$scratch/a" >"$scratch/list"
	grep -q 'bin/wtrackd$' "$scratch/list" || echo "no wtrackd"
	grep -q 'kvm-wtrack.7$' "$scratch/list" || echo "no manual"
}

# As DESTDIR= alone would not show that a variable is used.
honours_all_directories()
{
	run install "$scratch/e" "${ELSEWHERE[@]}"
	ours "$scratch/e" | grep -v '^\./else/[a-z]*dir/' || true
	[ "$(ours "$scratch/e" | wc -l)" -ge "$(wc -l <"$scratch/list")" ] ||
		echo "fewer files than otherwise"
}

# The programs may be anywhere, systemd looks into these alone.
systemd_finds_its_files()
{
	local prefix file
	for prefix in /usr /usr/local /opt/else; do
		run install "$scratch/p$prefix" PREFIX=$prefix
		for file in systemd/system/wtrackd.service \
			systemd/system/wtrack-watch.service \
			sysusers.d/wtrackd.conf modules-load.d/kvm-wtrack.conf
		do
			[ -e "$scratch/p$prefix/usr/lib/$file" ] ||
				[ -e "$scratch/p$prefix/usr/local/lib/$file" ] ||
				echo "$prefix: $file is elsewhere"
		done
		grep -q "^ExecStart=$prefix/sbin/wtrackd$" \
			"$scratch/p$prefix"/usr{,/local}/lib/systemd/system/*.service \
			2>/dev/null || echo "$prefix: another program is started"
		run uninstall "$scratch/p$prefix" PREFIX=$prefix
		ours "$scratch/p$prefix"
	done
}

# Not into directories of the tree, nor below the half of a name.
refuses_other_places()
{
	local dest target
	for dest in stage "$scratch/half stage"; do
		for target in install uninstall install-dkms; do
			run "$target" "$dest" >"$scratch/said" &&
				echo "$target to $dest"
			grep -q 'DESTDIR has to be absolute' "$scratch/said" ||
				cat "$scratch/said"
		done
	done
	find . "$scratch" -name stage -o -name half
}

# refused COMMAND...: in one line, and nothing was made
refused()
{
	"$@" >/dev/null 2>"$scratch/said" </dev/null && echo "no error: $*"
	[ "$(wc -l <"$scratch/said") $(grep -cF \
		'the tree has to be in a directory without spaces, not "' \
		"$scratch/said")" = "1 1" ] || { echo "$*:" && cat "$scratch/said"; }
}

refuses_spaces()
{
	local tree="$scratch/a tree" directory target
	mkdir "$tree"
	git ls-files -z | xargs -0 cp --parents -t "$tree"
	(cd "$tree" && find . | sort) >"$scratch/before"
	for target in all install uninstall install-dkms dist deb module demo \
		check check-unit check-style check-host; do
		refused make -C "$tree" "$target" DESTDIR="$scratch/none"
	done
	for directory in $(git ls-files | sed -n 's,/Makefile$,,p'); do
		refused make -C "$tree/$directory"
	done
	refused "$tree/tests/run.sh"
	refused "$tree/tests/host/packages.sh" check
	refused "$tree/tests/host/kernel.sh" 6.1
	refused "$tree/examples/demo/demo.sh"
	(cd "$tree" && find . | sort) | diff "$scratch/before" -
	[ ! -e "$scratch/none" ] || echo "something was installed"
	rm -r "$tree"
}

# uninstalls DIR VARIABLE=VALUE...
uninstalls()
{
	local dir=$1
	shift
	run uninstall "$dir" "$@"
	ours "$dir"
}

leaves_what_others_have()
{
	local file
	for file in usr/local/include/wtrack/other.h \
		etc/wtrackd/watches.d/mine.conf; do
		mkdir -p "$scratch/o/${file%/*}"
		echo mine >"$scratch/o/$file"
	done
	run install "$scratch/o"
	run uninstall "$scratch/o"
	diff <(cd "$scratch/o" && find . -type f | sort) - <<-WANTED
	./etc/wtrackd/watches.d/mine.conf
	./usr/local/include/wtrack/other.h
	WANTED
}

dkms_source()
{
	local place=$scratch/d/usr/src/kvm-wtrack-$version
	run install-dkms "$scratch/d"
	diff <(cd "$place" && find . -type f | sort) \
		<(git ls-files ./dkms.conf ./kmod ./include/uapi |
			grep -v Makefile | sed 's,^,./,' | LC_ALL=C sort)
	run uninstall-dkms "$scratch/d"
	find "$scratch/d" -name '*wtrack*'
}

dist_is_reproducible()
{
	run dist "$scratch"
	cp "build/kvm-wtrack-$version.tar.xz" "$scratch/first.tar.xz"
	sleep 1
	TZ=Asia/Tokyo run dist "$scratch"
	cmp "$scratch/first.tar.xz" "build/kvm-wtrack-$version.tar.xz"
}

dist_is_the_tree()
{
	diff <(tar -tf "$scratch/first.tar.xz" | grep -v '/$' |
		sed "s,^kvm-wtrack-$version/,," | LC_ALL=C sort) \
		<(git ls-tree -r --name-only HEAD | LC_ALL=C sort)
}

# Nothing is committed in what dist made.
dist_needs_git()
{
	local tree=$scratch/kvm-wtrack-$version
	tar -C "$scratch" -xf "$scratch/first.tar.xz"
	cp Makefile "$tree/"
	! GIT_CEILING_DIRECTORIES=$scratch make --no-print-directory \
		-C "$tree" dist >/dev/null 2>&1 || echo "it succeeds"
	find "$tree/build" -name '*.xz'
}

one_version()
{
	[ "$(build/ctl/wtrackctl --version)" = "wtrackctl $version" ] ||
		echo "wtrackctl has another"
	[ "$(build/daemon/wtrackd --version)" = "wtrackd $version" ] ||
		echo "wtrackd has another"
	grep -oE 'kvm-wtrack/[0-9][0-9.]*' docs/INSTALL.md |
		grep -v "/$version$" || true
	[[ "$(head -n 1 debian/changelog)" == "kvm-wtrack ($version-"* ]] ||
		echo "debian/changelog has another"
}

export LC_ALL=C.UTF-8 LD_LIBRARY_PATH=$BUILD/libwtrack
version=$(sed -n 's/^PACKAGE_VERSION=//p' dkms.conf)
elsewhere
check "make install puts the programs and the manual there" installs
check "every directory can be another" honours_all_directories
check "systemd finds its files, whatever the prefix" systemd_finds_its_files
check "a DESTDIR that cannot be one is refused" refuses_other_places
check "a tree whose path has a space is refused, in one line" refuses_spaces
check "make uninstall leaves nothing" uninstalls "$scratch/a"
check "nor in other directories" uninstalls "$scratch/e" "${ELSEWHERE[@]}"
check "what others have put there stays" leaves_what_others_have
check "DKMS gets all of the module's source, and no more" dkms_source
check "make dist makes the same file of the same commit" dist_is_reproducible
check "it has what is committed" dist_is_the_tree
check "without git it fails" dist_needs_git
check "all parts have the one version" one_version
check_finish install
