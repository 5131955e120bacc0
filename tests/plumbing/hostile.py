"""What the sandbox is given to run: a function that does what its payload says."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from pathlib import Path

LEAK: list[bytes] = []


def obey(payload: bytes) -> bytes:
    """An unknown payload comes back in capitals."""
    order, _, argument = payload.partition(b" ")
    match order:
        case b"burn":
            while True:
                sum(range(100_000))
        case b"sleep":
            time.sleep(600)
        case b"nap":
            time.sleep(float(argument))
        case b"grow":
            return bytes(int(argument))
        case b"leak":
            LEAK.append(bytes(int(argument)))
        case b"segfault":
            ctypes.string_at(0)
        case b"exit":
            os._exit(0)
        case b"recurse":
            return obey(payload)
        case b"nest":
            raise ValueError("text of a customer")
        case b"print":
            print("noise")
            sys.stdout.flush()
            os.write(1, b"R\x00\x00\x00\x01!")
        case b"write":
            path = Path(argument.decode())
            path.write_bytes(b"x" * 100)
        case b"connect":
            socket.create_connection(("127.0.0.1", int(argument)), timeout=2)
        case b"environment":
            return repr(dict(os.environ)).encode()
        case b"pid":
            return str(os.getpid()).encode()
        case b"uid":
            return str(os.getuid()).encode()
    return payload.upper()


def echo(payload: bytes) -> bytes:
    return payload
