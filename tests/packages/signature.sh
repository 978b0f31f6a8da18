#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: signature.sh MODULE CERTIFICATE
#
# Fails unless MODULE carries a signature by the key of CERTIFICATE (DER), as
# scripts/sign-file of the kernel appends it: a CMS message, the 12 bytes of
# struct module_signature, of which the last four are the message's length, and
# a line of text.
set -euo pipefail

module=${1:?usage: signature.sh MODULE CERTIFICATE}
certificate=${2:?usage: signature.sh MODULE CERTIFICATE}
LINE='~Module signature appended~'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ "$(tail -c $((${#LINE} + 1)) "$module" | tr -d '\0')" = "$LINE" ] || {
	echo "$module is not signed"
	exit 1
}
end=$(($(stat -c %s "$module") - ${#LINE} - 1 - 12))
length=$((16#$(tail -c "+$((end + 9))" "$module" | head -c 4 |
	od -An -tx1 | tr -d ' ')))
head -c $((end - length)) "$module" >"$work/content"
tail -c "+$((end - length + 1))" "$module" | head -c "$length" >"$work/message"
openssl x509 -inform DER -in "$certificate" -out "$work/certificate"
openssl cms -verify -binary -inform DER -in "$work/message" \
	-content "$work/content" -certfile "$work/certificate" -nointern \
	-CAfile "$work/certificate" -purpose any -out /dev/null
