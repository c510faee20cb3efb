"""What a service manager is told: systemd's notification protocol, one datagram for each change.

Source: sd_notify(3). The socket's name stands in `NOTIFY_SOCKET`; one that begins with `@` is abstract. Nobody may
listen, and nothing here waits: a word that is lost costs the manager its knowledge, never a request.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping

import attrs

VARIABLE = "NOTIFY_SOCKET"
"""The environment variable that names the socket."""


@attrs.frozen
class Notifier:
    """Tells a service manager where this process is in its life.

    Attributes:
        address: of the manager's socket; empty where there is no manager.
    """

    address: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Notifier:
        """Make the one that the environment describes. Only paths and abstract names are sockets of this kind."""
        address = environment.get(VARIABLE, "")
        return cls(address if address[:1] in ("/", "@") else "")

    def ready(self, status: str = "") -> None:
        """Say that requests are taken, for the first time or again after a reload."""
        self._tell("READY=1", f"MAINPID={os.getpid()}", _status(status))

    def reloading(self) -> None:
        """Say that settings are being read; `ready` says when that is over."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={microseconds}", _status("reading the settings"))

    def stopping(self, status: str = "") -> None:
        """Say that the end has begun."""
        self._tell("STOPPING=1", _status(status))

    def _tell(self, *lines: str) -> None:
        if not self.address:
            return
        name = "\0" + self.address[1:] if self.address[0] == "@" else self.address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.settimeout(0)
            own.sendto("\n".join(filter(None, lines)).encode(), name)


def _status(text: str) -> str:
    return f"STATUS={text}" if text else ""
