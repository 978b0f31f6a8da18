#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: flood.py MESSAGES MEGABYTES

Sends so many calls of OpenSession, of so many megabytes each, to the system bus
without waiting for an answer: the dictionary of options has one key over and over.
Prints "sent", then how many errors came back, until all did or its standard input
ended.
"""
import os
import select
import socket
import struct
import sys


def pad(data: bytes, n: int) -> bytes:
    return data + b'\0' * (-len(data) % n)


def text(value: str) -> bytes:
    return struct.pack('<I', len(value)) + value.encode() + b'\0'


def header(serial: int, destination: str, path: str, interface: str, member: str,
           signature: str, length: int) -> bytes:
    fields = b''
    for code, kind, value in ((1, 'o', path), (6, 's', destination),
                              (2, 's', interface), (3, 's', member)):
        fields = pad(fields, 8) + bytes([code, 1]) + kind.encode() + b'\0'
        fields += text(value)
    if signature:
        fields = pad(fields, 8) + bytes([8, 1]) + b'g\0'
        fields += bytes([len(signature)]) + signature.encode() + b'\0'
    head = b'l\1\0\1' + struct.pack('<III', length, serial, len(fields))
    return pad(head + fields, 8)


def body(megabytes: int) -> bytes:
    start = pad(text('nobody'), 4)
    entry = pad(text('max_pages') + b'\1t\0', 8) + struct.pack('<Q', 1)
    entries = entry * (megabytes * 1024 * 1024 // len(entry))
    # The length does not count what aligns the first entry.
    return pad(start + struct.pack('<I', len(entries)), 8) + entries


def main() -> None:
    count, megabytes = int(sys.argv[1]), int(sys.argv[2])
    bus = socket.socket(socket.AF_UNIX)
    bus.connect('/run/dbus/system_bus_socket')
    uid = str(os.getuid()).encode().hex().encode()
    bus.sendall(b'\0AUTH EXTERNAL ' + uid + b'\r\n')
    bus.recv(1000)
    bus.sendall(b'BEGIN\r\n')
    daemon = 'org.freedesktop.DBus'
    bus.sendall(header(1, daemon, '/org/freedesktop/DBus', daemon, 'Hello', '', 0))
    bus.recv(65536)
    data = body(megabytes)
    for serial in range(count):
        bus.sendall(header(10 + serial, 'org.wtrack1', '/org/wtrack1',
                           'org.wtrack1.Manager', 'OpenSession', 'sa{sv}',
                           len(data)) + data)
    print('sent', flush=True)
    answers = b''
    while answers.count(b'given twice') < count:
        ready, _, _ = select.select([bus, sys.stdin], [], [])
        if sys.stdin in ready:
            break
        got = bus.recv(65536)
        if not got:
            break
        answers += got
    print('refused', answers.count(b'given twice'), flush=True)


main()
