"""The listening socket: bound before anything else, so that "port in use" is a sentence and not a traceback."""

from __future__ import annotations

import errno
import socket

from pipeline.commands.screen import CommandError

_BACKLOG = 1024
"""Connections that the system accepts for us while we are busy or still starting."""

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - names of "everywhere", nothing binds

_REASONS = {
    errno.EADDRINUSE: "port {port} of {host} is in use by another program; choose one with --port, or stop the other",
    errno.EACCES: "port {port} of {host} needs privileges that this process does not have; choose one above 1023",
    errno.EADDRNOTAVAIL: "{host} is no address of this machine; use 127.0.0.1, or one that `ip addr` shows",
}


def bind(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes any that is free.

    Raises:
        CommandError: With what is wrong and what to do about it.
    """
    plain = host.strip("[]")
    try:
        family, _, _, _, address = socket.getaddrinfo(plain, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server((str(address[0]), port), family=family, backlog=_BACKLOG)
    except socket.gaierror as error:
        raise CommandError(f"{host} is not the name of an address ({error.strerror}); use 127.0.0.1") from error
    except OSError as error:
        # create_server puts the address into its own message; the number says more.
        reason = _REASONS.get(error.errno or 0, "cannot listen on port {port} of {host}: " + (error.strerror or ""))
        raise CommandError(reason.format(host=host, port=port)) from error


def url_of(listener: socket.socket, *, tls: bool = False) -> str:
    """Return the URL at which this machine reaches a listening socket, `http://127.0.0.1:8765`."""
    host, port = listener.getsockname()[:2]
    return url(host, port, tls=tls)


def url(host: str, port: int, *, tls: bool = False) -> str:
    """Return the URL at which this machine reaches a server on `host`; "everywhere" is reached by loopback."""
    reachable = _WILDCARDS.get(host.strip("[]"), host.strip("[]"))
    return f"{'https' if tls else 'http'}://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"
