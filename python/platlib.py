# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: platlib.py PREFIX

Prints where modules with C in them go below a prefix. Debian's Python looks
elsewhere than others: what packages install is below /usr/lib/python3, and
/usr/local has a place of its own.
"""

import sys
import sysconfig


def platlib(prefix: str) -> str:
    """The folder for modules."""
    if "deb_system" not in sysconfig.get_scheme_names():
        scheme = "posix_prefix"
    elif prefix == "/usr":
        scheme = "deb_system"
    elif prefix == "/usr/local":
        scheme, prefix = "posix_local", "/usr"
    else:
        scheme = "posix_prefix"
    base = {"base": prefix, "platbase": prefix}
    return sysconfig.get_path("platlib", scheme, vars=base)


print(platlib(sys.argv[1]))
