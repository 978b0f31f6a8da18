#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: clang.sh ARGUMENT...
#
# Clang, as the compiler for the headers of a kernel that GCC has built: without the
# arguments that only GCC knows, and without the warnings that headers for GCC bring.
# Debian's headers take GCC even with LLVM=1. What clang makes here is not for loading.
set -euo pipefail

arguments=()
for argument; do
	case $argument in
	-fconserve-stack | -mfunction-return=* | -mrecord-mcount | \
		-ftrivial-auto-var-init=* | -fplugin* | -mpreferred-stack-boundary=*) ;;
	*) arguments+=("$argument") ;;
	esac
done
exec clang -DCONFIG_CC_IS_CLANG=1 "${arguments[@]}" -Qunused-arguments \
	-Wno-unknown-warning-option -Wno-duplicate-decl-specifier -Wno-gnu
