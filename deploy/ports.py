"""Ports to listen on: whether one is free, and a free one."""

import errno
import socket

LOOPBACK = "127.0.0.1"


def problem(host: str, port: int) -> str | None:
    """Return why nothing can listen on `host`:`port`, in French; `None` if something can."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as listener:
            # As servers do: a connection closed a moment ago holds nothing up.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except socket.gaierror:
        return f"l'adresse {host} est inconnue"
    except OSError as error:
        return {
            errno.EADDRINUSE: f"le port {port} est déjà pris par un autre programme",
            errno.EACCES: f"le port {port} est réservé à l'administrateur du système",
            errno.EADDRNOTAVAIL: f"l'adresse {host} n'est pas celle de cette machine",
        }.get(error.errno or 0, f"le port {port} ne peut pas être ouvert ({error.strerror})")
    return None


def free(host: str = LOOPBACK) -> int:
    """Return a port that is free now."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        port: int = listener.getsockname()[1]
        return port
