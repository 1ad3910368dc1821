"""Which process holds a lease, and whether it is still there."""

import os
import secrets
import socket

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


def _host() -> str:
    return socket.gethostname()[:48].replace(":", "-")
