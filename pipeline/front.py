"""The server in front of the application: made of the settings, and made to follow them when they change."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from typing import Any, cast

import attrs
from hypercorn.config import Config

from pipeline.endpoints.application import Application
from pipeline.endpoints.context import Context
from pipeline.endpoints.running import SPARE, Phase
from pipeline.lifecycle.grace import grace_here
from pipeline.lifecycle.notify import Notifier
from pipeline.lifecycle.parent import RELOAD
from pipeline.lifecycle.signals import AGAIN
from pipeline.server.connection import Terms
from pipeline.server.guard import Guard
from pipeline.server.serving import Server
from pipeline.server.shutdown import Shutdown
from pipeline.settings import ConfigurationError, Settings
from pipeline.telemetry import names


@attrs.define(eq=False)
class Front:
    """Serves an application, and says in the log how its life goes.

    Attributes:
        app: the application.
        now: returns what new requests are served with at this moment.
        shutdown: asks for the end.
    """

    app: Application
    now: Callable[[], Context]
    shutdown: Shutdown
    _server: Server | None = attrs.field(default=None, init=False)

    async def run(self, sockets: list[socket.socket], ready: Callable[[str], None] | None = None) -> None:
        """Serve until the shutdown begins, and its grace is over or all requests are.

        Args:
            sockets: listening sockets that somebody else has bound; without any, the settings' host and port are.
            ready: called with the server's URL once connections are accepted.
        """
        settings = self.now().settings
        server = self._server = Server(
            cast("Any", self.app),
            _config(settings, [f"fd://{own.detach()}" for own in sockets]),
            Terms(),
            Guard(self.now().log),
            own_http1=settings.http1 == "dragoman",
            at_stop=self._stopping,
            at_end_of_grace=self.now().running.end_all,
        )
        self.follow(settings)

        def started(urls: list[str]) -> None:
            self.now().log.info(names.STARTED, url=urls[0], upstream=self.now().upstream_name, pid=os.getpid())
            if ready is not None:
                ready(urls[0])

        await server.run(self.shutdown, started)
        context, faults = self.now(), server.guard.faults
        running = context.running
        context.log.info(names.STOPPED, cut=running.cut, connection_faults=faults, turned_away=running.turned_away)

    def follow(self, settings: Settings) -> None:
        """Grant clients what these settings say, from their next request on.

        A certificate is read again, for the next handshakes: `check_certificate` says before whether it can be used.
        """
        server, timing = self._server, settings.timing
        self.shutdown.closed = settings.draining == "close"
        if server is not None:
            terms = server.terms
            terms.head_bytes, terms.head_patience = settings.limits.header_bytes, timing.head
            terms.idle_patience, terms.write_patience = timing.idle, timing.write
            server.guard.log = self.now().log
            _set(server.config, settings)
            server.renew_certificate()

    def _stopping(self) -> None:
        """Begin nothing new, and say what still runs, and how long it may."""
        context = self.now()
        running, grace = context.running, grace_here(context.settings.timing)
        if self.shutdown.by == RELOAD and self._server is not None:  # a stream does not end because of new settings
            self._server.config.graceful_timeout = grace = context.settings.timing.total + SPARE
        running.life.phase = Phase.DRAINING
        found: dict[str, object] = {"by": self.shutdown.by, "requests": running.requests, "streams": running.streams}
        hint = {"hint": AGAIN} if self.shutdown.by == "SIGINT" and running.requests else {}
        context.log.info(names.STOPPING, **found, grace_seconds=grace, **hint)
        Notifier.of(os.environ).stopping(f"{running.streams} streams may end, for {grace:g} s")


def check_certificate(settings: Settings) -> None:
    """Find out whether the certificate that is set can be used.

    Raises:
        ConfigurationError: It cannot.
    """
    if not settings.certfile:
        return
    try:
        # A key with a password would be asked for at the terminal; nobody may sit there.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.certfile, settings.keyfile, lambda: "")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise ConfigurationError([f"certfile, keyfile: cannot be used together: {reason}"]) from None


def _config(settings: Settings, binds: list[str]) -> Config:
    """Configure hypercorn."""
    config = Config()
    config.bind = binds or [f"{_bracketed(settings.host)}:{settings.port}"]
    config.backlog = 2048  # its own 100 turn clients away when a thousand come at once
    config.accesslog = config.errorlog = None
    config.include_server_header = False
    _set(config, settings)
    return config


def _set(config: Config, settings: Settings) -> None:
    """Set what may also change while it serves."""
    timing = settings.timing
    config.graceful_timeout = grace_here(timing)
    config.h11_max_incomplete_size = config.h2_max_header_list_size = settings.limits.header_bytes
    config.keep_alive_timeout = timing.idle
    config.ssl_handshake_timeout = timing.head
    config.certfile, config.keyfile = settings.certfile or None, settings.keyfile or None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
