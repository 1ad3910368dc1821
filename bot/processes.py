"""Which process holds a lease, and whether it is still there."""

import hashlib
import os
import secrets
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

_BIRTH = secrets.token_hex(4)
"""Tells this process from one that had its number before: in a container, all have the same."""


def here() -> str:
    """Return what this process is called in a lease: its machine, its number, its birth."""
    return f"{_host()}:{os.getpid()}:{_BIRTH}"


def is_gone(holder: str) -> bool:
    """Tell whether a process is one of this machine that runs no more.

    Of another machine nothing is known: its leases end by themselves.
    """
    # What may follow tells apart the several that one process is.
    host, number, birth, *_ = *holder.split(":"), "", "", ""
    if host != _host() or not number.isdigit():
        return False
    if int(number) == os.getpid():
        return birth != _BIRTH
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # somebody else's process has the number now
        return False
    return False


@cache
def _host() -> str:
    """Return what tells the machines apart on which process numbers mean the same.

    Containers may share a name and not the numbers, or the other way round.
    """
    known = [socket.gethostname()]
    with suppress(OSError):
        known.append(str(Path("/proc/self/ns/pid").readlink()))
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]
